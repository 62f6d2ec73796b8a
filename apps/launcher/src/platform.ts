// The platform on this machine: Postgres, host-agent and control-plane, started in this order and stopped in the
// opposite one. VMs are not its children: they outlive every process here, and end only when the operator says so.
import { join } from 'node:path'
import { AppError, errorText, pollUntil, writeFileDurable } from '@wrenn/base'
import { buildDashboard } from '@wrenn/dashboard'
import { buildImages } from '@wrenn/images'
import { AgentClient, type AgentHealth, type AgentSandbox } from './agent-client.ts'
import { endDescendants } from './descendants.ts'
import type { Folders } from './folders.ts'
import { assertPortFree } from './port.ts'
import { Cluster } from './postgres/cluster.ts'
import { endClusterProcesses } from './postgres/leftovers.ts'
import { assertAnswers, postgresSpec } from './postgres/start.ts'
import { controlPlaneSpec, hostAgentSpec } from './processes.ts'
import type { Screen } from './screen.ts'
import type { OnStop, Settings } from './settings.ts'
import { rotateLog } from './supervisor/log-file.ts'
import { endLeftover } from './supervisor/pid-file.ts'
import { SupervisedProcess, type ProcessSpec } from './supervisor/supervised-process.ts'

const ROTATION_INTERVAL_MS = 60_000
const DATABASE_TIMEOUT_MS = 10_000
const LEFTOVER_GRACE_MS = 10_000
/** The agent may be starting again at the moment of the stop. */
const AGENT_BACK_MS = 10_000
/** For all sandboxes together; what is not paused by then runs on. */
const PAUSE_TIMEOUT_SEC = 60

export class Platform {
  readonly #settings: Settings
  readonly #folders: Folders
  readonly #screen: Screen
  readonly #agent: AgentClient
  readonly #hurry = new AbortController()
  /** In the order in which they were started. */
  readonly #processes: SupervisedProcess[] = []
  #starting: Promise<AgentHealth> | undefined
  #rotation: NodeJS.Timeout | undefined

  constructor(settings: Settings, folders: Folders, screen: Screen) {
    this.#settings = settings
    this.#folders = folders
    this.#screen = screen
    this.#agent = new AgentClient(folders.agentSocket)
  }

  /** Returns when the platform serves. Throws when a phase fails or `signal` says stop; call `stop` then too. */
  start(signal: AbortSignal): Promise<AgentHealth> {
    this.#starting = this.#start(signal)
    return this.#starting
  }

  /** Stops what was started, newest first, also in the middle of a start. What runs in sandboxes is treated as `onStop` says. */
  async stop(onStop: OnStop): Promise<void> {
    clearInterval(this.#rotation)
    await this.#stopProcesses(onStop)
    await this.#starting?.catch(() => undefined)
    await this.#stopProcesses(onStop)
  }

  /** Cuts the waiting of a stop short. Every process is ended all the same. */
  hurry(): void {
    this.#hurry.abort()
  }

  async #start(signal: AbortSignal): Promise<AgentHealth> {
    await this.#endLeftovers()
    await assertPortFree(this.#settings.listen)
    await this.#assertDatabaseAnswers(signal)
    await this.#screen.phase('images', (step) => this.#makeImages(step, signal))
    signal.throwIfAborted()
    const dashboard = await this.#screen.phase('dashboard', () =>
      untilStopped(buildDashboard(this.#settings.cacheDir), signal),
    )
    signal.throwIfAborted()
    const databaseUrl = this.#settings.databaseUrl ?? (await this.#startPostgres(signal))
    signal.throwIfAborted()
    await this.#startProcess(hostAgentSpec(this.#settings, this.#folders, this.#agent))
    // Cut short by a stop: the agent gives up the boot.
    await this.#screen.phase('snapshot', () => this.#agent.prepareDefaultGolden(signal))
    signal.throwIfAborted()
    await this.#startProcess(controlPlaneSpec(this.#settings, this.#folders, { databaseUrl, dashboard }))
    signal.throwIfAborted()
    this.#rotation = setInterval(() => void this.#rotateLogs(), ROTATION_INTERVAL_MS)
    return await this.#agent.health()
  }

  async #stopProcesses(onStop: OnStop): Promise<void> {
    for (let process = this.#processes.pop(); process; process = this.#processes.pop()) {
      if (process.name === 'host-agent' && process.ref) await this.#settleSandboxes(onStop)
      await process.stop(this.#hurry.signal)
    }
  }

  /** Of a launcher that was killed. The VMs run on; the new agent adopts them. */
  async #endLeftovers(): Promise<void> {
    const ended = []
    for (const name of ['control-plane', 'host-agent']) {
      if (await endLeftover(this.#folders.pidFile(name), LEFTOVER_GRACE_MS)) ended.push(name)
    }
    await endClusterProcesses(join(this.#folders.postgres, 'data'))
    if (ended.length > 0) this.#screen.line(`Ended ${ended.join(' and ')} of a launcher that was killed.`)
  }

  /** Said now, not after the phases that take long. At a machine's boot the database may come a little later. */
  async #assertDatabaseAnswers(signal: AbortSignal): Promise<void> {
    const { databaseUrl } = this.#settings
    if (databaseUrl === undefined) return
    try {
      await pollUntil('it answers', () => assertAnswers(databaseUrl).then(() => true as const), {
        timeoutMs: DATABASE_TIMEOUT_MS,
        signal,
      })
    } catch (cause) {
      throw new AppError('unavailable', `DATABASE_URL: the database does not answer (${errorText(cause)})`, {
        cause,
      })
    }
  }

  async #makeImages(step: (text: string) => void, signal: AbortSignal): Promise<void> {
    const { cacheDir, environment } = this.#settings
    const building = buildImages({ cacheDir, environment, onProgress: step })
    const manifest = await untilStopped(building, signal)
    await writeFileDurable(this.#folders.imagesManifest, `${JSON.stringify(manifest, undefined, 2)}\n`)
  }

  async #startPostgres(signal: AbortSignal): Promise<string> {
    return await this.#screen.phase('postgres', async (step) => {
      step('preparing the data folder')
      const cluster = await Cluster.prepare({
        cacheDir: this.#settings.cacheDir,
        folder: this.#folders.postgres,
      })
      const files = {
        logFile: this.#folders.logFile('postgres'),
        pidFile: this.#folders.pidFile('postgres'),
      }
      signal.throwIfAborted()
      step('starting')
      await this.#supervise(postgresSpec(cluster, files)).start()
      return cluster.url
    })
  }

  async #startProcess(spec: ProcessSpec): Promise<void> {
    const process = this.#supervise(spec)
    await this.#screen.phase(spec.name, () => process.start())
  }

  #supervise(spec: ProcessSpec): SupervisedProcess {
    const process = new SupervisedProcess(spec, (line) => this.#screen.line(line))
    this.#processes.push(process)
    return process
  }

  async #settleSandboxes(onStop: OnStop): Promise<void> {
    try {
      const sandboxes = await pollUntil('the agent lists its sandboxes', () => this.#agent.sandboxes(), {
        timeoutMs: onStop === 'keep' ? 0 : AGENT_BACK_MS,
        signal: this.#hurry.signal,
      })
      if (onStop === 'destroy') await this.#destroyAll(sandboxes)
      else if (onStop === 'pause') await this.#pauseAll()
      else this.#say(count(sandboxes, 'running'), 'running on, the next npm start adopts them')
    } catch (error) {
      if (onStop !== 'keep')
        this.#screen.line(`Sandboxes may run on, the next npm start adopts them: ${errorText(error)}`)
    }
  }

  async #pauseAll(): Promise<void> {
    const { paused, failed } = await this.#agent.suspend(PAUSE_TIMEOUT_SEC, this.#hurry.signal)
    this.#say(paused, 'paused, the next npm start resumes them')
    this.#say(failed.length, 'could not be paused and run on, the next npm start adopts them')
  }

  async #destroyAll(sandboxes: AgentSandbox[]): Promise<void> {
    await Promise.all(sandboxes.map(({ id }) => this.#agent.destroy(id)))
    this.#say(sandboxes.length, 'destroyed (WRENN_ON_STOP=destroy)')
  }

  #say(count: number, what: string): void {
    if (count > 0) this.#screen.line(`${count === 1 ? '1 sandbox' : `${count} sandboxes`}: ${what}`)
  }

  async #rotateLogs(): Promise<void> {
    for (const { name } of this.#processes) {
      try {
        await rotateLog(this.#folders.logFile(name))
      } catch (error) {
        this.#screen.line(`The log of ${name} cannot be rotated: ${errorText(error)}`)
      }
    }
  }
}

function count(sandboxes: AgentSandbox[], status: string): number {
  return sandboxes.filter((sandbox) => sandbox.status === status).length
}

/** A build, or the reason of the stop: then with all of its processes ended, and what it had begun cleared away. */
async function untilStopped<T>(building: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  try {
    return await Promise.race([building, stopped])
  } catch (error) {
    if (signal.aborted) {
      await endDescendants()
      await building.catch(() => undefined)
    }
    throw error
  }
}
