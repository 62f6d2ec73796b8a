// The host agent: owns this machine's VMs, network slots, disks and snapshots, and serves contracts/host-agent.yaml on a
// unix socket. Living VMs are taken over at start and left alone at the end. Started by the launcher, as root.
import { chmod, mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError, createLogger, SettingsError } from '@wrenn/base'
import { hostAgentContract } from '@wrenn/contract'
import { createContractServer, requestMetrics, serveMetrics } from '@wrenn/http'
import { imagesManifest } from '@wrenn/images'
import { readConfig } from './config.ts'
import { openParts } from './open-parts.ts'
import { agentMetrics } from './metrics.ts'
import { handlers } from './routes.ts'
import { Goldens } from './sandbox/goldens.ts'
import { recover } from './sandbox/recover.ts'
import { Snapshots } from './sandbox/snapshots.ts'
import { Templates } from './sandbox/templates.ts'
import { Sandboxes } from './sandbox/sandboxes.ts'
import { hostId } from './storage/host-id.ts'
import { layout } from './storage/layout.ts'

/** sysexits.h EX_CONFIG: starting again does not help. */
const badSettings = 78

try {
  await main()
} catch (error) {
  if (!(error instanceof SettingsError)) throw error
  for (const line of error.lines) console.error(line)
  process.exitCode = badSettings
}

async function main(): Promise<void> {
  const config = await readConfig(process.env)
  const log = createLogger('host-agent', config.logLevel)
  const started = performance.now()
  const { images: imagesFile, socket } = layout(config.dataFolder)
  const images = imagesManifest.parse(JSON.parse(await readFile(imagesFile, 'utf8')))
  const stopping = new AbortController()
  const opened = await openParts(config, { images, log, stopping: stopping.signal })
  const { parts, accelerator, warnings } = opened
  const goldens = new Goldens(parts)
  const snapshots = new Snapshots(parts)
  await snapshots.open()
  const sandboxes = new Sandboxes(parts, new Templates(goldens, snapshots), config.poolSize)
  const found = await recover(parts, snapshots)
  await goldens.open()
  sandboxes.adopt(found)
  warnings.push(...found.warnings)
  void parts.network.refill()

  for (const warning of warnings) log.warn({ op: 'start', outcome: 'degraded', warning })
  const registry = agentMetrics(parts.network, sandboxes)
  const server = await createContractServer({
    contract: hostAgentContract(),
    handlers: handlers({ ...opened, hostId: await hostId(config.dataFolder), goldens, snapshots, sandboxes }),
    logger: log,
    onFinished: requestMetrics(registry),
  })
  await mkdir(dirname(socket), { recursive: true, mode: 0o700 })
  await rm(socket, { force: true })
  await server.listen({ path: socket })
  await chmod(socket, 0o600)
  if (config.metricsListen) await serveMetrics(registry, config.metricsListen)
  const durationMs = Math.round(performance.now() - started)
  log.info({ op: 'start', outcome: 'ok', durationMs, accelerator, vmm: parts.driver.version })

  const stop = async (): Promise<void> => {
    stopping.abort(new AppError('unavailable', 'the host agent is stopping'))
    await server.close()
    // Also those that nobody waits for any more.
    await Promise.all([goldens.settled(), sandboxes.settled()])
    await sandboxes.pool.close()
    await parts.network.close()
    await parts.cgroups.close()
    log.info({ op: 'stop', outcome: 'ok', running: sandboxes.list().length })
    process.exit(0)
  }
  let stopped: Promise<void> | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void (stopped ??= stop()))
}
