// The control plane, put together: database, agent, background work and the HTTP server. main.ts and the tests start it.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isErrno,
  outsideRequests,
  type ApiKeyId,
  type Logger,
  type RateLimits,
  type SandboxId,
  type SignupPolicy,
  type SnapshotId,
  type TeamLimits,
} from '@wrenn/base'
import { hostAgentContract, publicContract } from '@wrenn/contract'
import { createContractServer, Gauge, Registry, requestMetrics, serveMetrics } from '@wrenn/http'
import { createAuthenticate } from './auth/authenticate.ts'
import { Tokens } from './auth/tokens.ts'
import type { ListenAddress } from './config.ts'
import { loadDashboard } from './dashboard.ts'
import { Agent, type AgentDeadlines } from './hosts/agent.ts'
import { Hosts } from './hosts/hosts.ts'
import { createOAuthParts, type OAuthOptions } from './oauth-parts.ts'
import { reconcileLeases } from './reconcilers/leases.ts'
import { Periodic } from './reconcilers/periodic.ts'
import { reconcileSandboxes } from './reconcilers/sandboxes.ts'
import { reconcileSnapshots } from './reconcilers/snapshots.ts'
import { createHandlers } from './routes/handlers.ts'
import { countUse } from './routes/rate-limits.ts'
import { BackgroundBatch } from './services/background-batch.ts'
import { RateLimiter } from './services/rate-limiter.ts'
import { Leases } from './services/leases.ts'
import { TeamEvents } from './services/team-events/team-events.ts'
import { StartError } from './start-error.ts'
import { apiKeysTouch } from './store/api-keys.ts'
import { openDatabase, type Database } from './store/database.ts'
import { translateDatabaseError } from './store/errors.ts'
import { idempotencyForget } from './store/idempotency-keys.ts'
import { rateLimitsForget } from './store/rate-limits.ts'
import { sandboxCounts, sandboxesRenewLeases, sandboxesTouch } from './store/sandboxes.ts'
import { snapshotsRenewLeases } from './store/snapshots.ts'
import { oauthStatesForget } from './store/used-oauth-states.ts'

export interface ControlPlaneOptions {
  listen: ListenAddress
  databaseUrl: string
  jwtSecret: string
  agentSocket: string
  logger: Logger
  /** Who may get an account. Default all. */
  signups?: SignupPolicy
  /** Where Prometheus metrics are served. Default nowhere. */
  metricsListen?: ListenAddress | undefined
  /** Default off. */
  rateLimits?: RateLimits | 'off'
  /** Origins whose scripts may read answers. Default none. */
  corsOrigins?: readonly string[]
  /** Addresses and CIDR ranges whose X-Forwarded-* headers count. Default none. */
  trustedProxies?: readonly string[]
  /** Default none. */
  limits?: TeamLimits
  /** How often rows and agent are compared. Default 2 s. */
  reconcileIntervalMs?: number
  /** How long the row of a create stays when its machine dies, and nobody knows. Default 30 s. */
  leaseSec?: number
  agentDeadlines?: Partial<AgentDeadlines>
  /** What the dashboard's build made. Default: there is no dashboard. */
  dashboardFolder?: string | undefined
  /** Default: every provider answers 404. */
  oauth?: OAuthOptions
}

export interface ControlPlane {
  /** E.g. "http://127.0.0.1:8080". */
  url: string
  metricsUrl: string | undefined
  /** Stops accepting, gives requests in flight five seconds, and closes everything. */
  close(): Promise<void>
}

const closeDeadlineMs = 5_000
const firstReconcileMs = 3_000
const forgetIntervalMs = 600_000
const endSessionsIntervalMs = 2_000

/** Returns when it listens. The migrations are applied already. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { logger, reconcileIntervalMs = 2_000, leaseSec = 30, signups = 'open' } = options
  const { rateLimits = 'off', limits = {} } = options
  const db = openDatabase(options.databaseUrl, logger)
  const tokens = new Tokens(options.jwtSecret)
  const agent = new Agent({
    socketPath: options.agentSocket,
    contract: hostAgentContract(),
    ...(options.agentDeadlines ? { deadlines: options.agentDeadlines } : {}),
  })
  const hosts = new Hosts(db, agent)
  const limiter = rateLimits === 'off' ? undefined : new RateLimiter(db, rateLimits)
  const leases = new Leases<SandboxId>({ leaseSec, renew: (...held) => sandboxesRenewLeases(db, ...held) })
  const snapshotLeases = new Leases<SnapshotId>({
    leaseSec,
    renew: (...held) => snapshotsRenewLeases(db, ...held),
  })
  const activity = new BackgroundBatch<SandboxId>({
    op: 'touchSandboxes',
    write: (ids) => sandboxesTouch(db, ids),
    logger,
  })
  const keyUse = new BackgroundBatch<ApiKeyId>({
    op: 'touchApiKeys',
    write: (ids) => apiKeysTouch(db, ids),
    logger,
  })
  const everyReconcile = { intervalMs: reconcileIntervalMs, logger }
  const reconcileSoon = (): void =>
    outsideRequests(() => {
      void reconciler.nudge()
      void snapshotReconciler.nudge()
    })
  const reconciling = { db, hosts, logger, limits, reconcileSoon }
  const reconciler = new Periodic('reconcile', () => reconcileSandboxes(reconciling), everyReconcile)
  const snapshotReconciler = new Periodic(
    'reconcileSnapshots',
    () => reconcileSnapshots(reconciling),
    everyReconcile,
  )
  const endLeases = new Periodic(
    'reconcileLeases',
    () => reconcileLeases({ db, logger, reconcileSoon }),
    everyReconcile,
  )
  const renewLeases = async (): Promise<void> => {
    await Promise.all([leases.renew(), snapshotLeases.renew()])
  }
  const renewer = new Periodic('renewLeases', renewLeases, {
    intervalMs: (leaseSec * 1_000) / 5,
    logger,
  })

  const teamEvents = new TeamEvents({ db, databaseUrl: options.databaseUrl, logger })
  const endSessions = new Periodic('endSessions', () => teamEvents.endDeadSessions(), {
    intervalMs: endSessionsIntervalMs,
    logger,
  })

  const forgetter = new Periodic('forget', () => forget(db), {
    intervalMs: forgetIntervalMs,
    logger,
  })

  const registry = new Registry()
  addSandboxGauge(registry, db)
  let metrics: Server | undefined

  const listenUrl = (): string => urlOf(server.server.address() as AddressInfo)
  const oauth = createOAuthParts(options.oauth ?? {}, { jwtSecret: options.jwtSecret, listenUrl })
  const contract = publicContract({ oauthProviders: oauth.names })
  const server = await createContractServer({
    contract,
    handlers: createHandlers({
      db,
      tokens,
      signups,
      limiter,
      agent,
      hosts,
      contract,
      leases,
      snapshotLeases,
      limits,
      activity,
      version: ownVersion(),
      oauth: { db, tokens, signups, ...oauth },
      reconcileSoon,
      teamEvents,
      logger,
    }),
    webSocketProtocol: 'wrenn.v1',
    site: await loadDashboard(options.dashboardFolder, contract),
    authenticate: createAuthenticate({
      db,
      tokens,
      keyUsed: (id) => keyUse.add(id),
      admit: (teamId, appendHeader) => countUse(limiter, { name: 'requests', who: teamId }, appendHeader),
    }),
    translateError: translateDatabaseError,
    logger,
    ...(options.metricsListen ? { onFinished: requestMetrics(registry) } : {}),
    ...(options.corsOrigins ? { corsOrigins: options.corsOrigins } : {}),
    ...(options.trustedProxies ? { trustedProxies: options.trustedProxies } : {}),
  })

  const close = async (): Promise<void> => {
    const finished = await server.closeGracefully(closeDeadlineMs)
    metrics?.close()
    metrics?.closeAllConnections()
    if (!finished) await leases.allReleased(closeDeadlineMs)
    const periodic = [endLeases, reconciler, snapshotReconciler, renewer, forgetter, endSessions]
    await Promise.all(periodic.map((one) => one.stop()))
    await Promise.all([activity.flushed(), keyUse.flushed(), teamEvents.close()])
    agent.close()
    await db.destroy()
  }

  try {
    // Best before the first request, but an agent that does not answer keeps nobody waiting.
    const first = endLeases.nudge().then(() => reconciler.nudge())
    await Promise.race([first, sleep(firstReconcileMs, undefined, { ref: false })])
    void snapshotReconciler.nudge()
    void renewer.nudge()
    void forgetter.nudge()
    void endSessions.nudge()
    await server.listen(options.listen)
  } catch (error) {
    await close()
    throw listenError(error, 'CP_LISTEN_ADDR', options.listen)
  }
  if (options.metricsListen) {
    try {
      metrics = await serveMetrics(registry, options.metricsListen)
    } catch (error) {
      await close()
      throw listenError(error, 'CP_METRICS_ADDR', options.metricsListen)
    }
  }
  const metricsUrl = metrics && urlOf(metrics.address() as AddressInfo)
  return { url: listenUrl(), metricsUrl, close }
}

function addSandboxGauge(registry: Registry, db: Database): void {
  registry.registerMetric(
    new Gauge({
      name: 'wrenn_sandboxes',
      help: 'Sandboxes of the platform by status, without stopped ones.',
      labelNames: ['status'],
      registers: [],
      async collect() {
        const counts = await sandboxCounts(db)
        this.reset()
        for (const { status, count } of counts) this.set({ status }, count)
      },
    }),
  )
}

/** What is of no use any more. */
async function forget(db: Database): Promise<void> {
  await rateLimitsForget(db)
  await idempotencyForget(db)
  await oauthStatesForget(db)
}

function listenError(error: unknown, setting: string, { host, port }: ListenAddress): unknown {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'is in use by another program: stop that one, or choose another address',
    EADDRNOTAVAIL: 'is not an address of this machine',
    EACCES: 'needs more rights than this process has',
    ENOTFOUND: 'is not a known host name',
  }
  const code = Object.keys(reasons).find((code) => isErrno(error, code))
  return code === undefined
    ? error
    : new StartError(`${setting}: ${host}:${port} ${reasons[code]}`, { cause: error })
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function ownVersion(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}
