// How the platform's own two processes are run: command, environment, and how to tell that they serve.
import { join } from 'node:path'
import { compileCache } from '@wrenn/base'
import type { AgentClient } from './agent-client.ts'
import type { Folders } from './folders.ts'
import { localUrl, repository, type Settings } from './settings.ts'
import type { ProcessSpec } from './supervisor/supervised-process.ts'

const READY_TIMEOUT_MS = 60_000
const HEALTH_TIMEOUT_MS = 5_000
/** The control plane finishes the requests that are under way. */
const CONTROL_PLANE_GRACE_MS = 15_000
/** The agent takes its network slots down when no VM is left. */
const AGENT_GRACE_MS = 20_000

/** What the agent, which runs next to untrusted code, has no use for. */
const controlPlaneOnly = /^(DATABASE_URL|JWT_SECRET|OAUTH_\w+)$/

export function hostAgentSpec(settings: Settings, folders: Folders, agent: AgentClient): ProcessSpec {
  const environment = Object.entries(commonEnvironment(settings, folders)).filter(
    ([name]) => !controlPlaneOnly.test(name),
  )
  return {
    ...nodeProcess('host-agent', folders),
    env: Object.fromEntries(environment),
    stopGraceMs: AGENT_GRACE_MS,
    ready: async () => {
      await agent.health()
    },
  }
}

export function controlPlaneSpec(
  settings: Settings,
  folders: Folders,
  { databaseUrl, dashboard }: { databaseUrl: string; dashboard: string },
): ProcessSpec {
  return {
    ...nodeProcess('control-plane', folders),
    env: {
      ...commonEnvironment(settings, folders),
      DATABASE_URL: databaseUrl,
      WRENN_DASHBOARD_DIR: dashboard,
    },
    stopGraceMs: CONTROL_PLANE_GRACE_MS,
    ready: () => assertHealthy(`${localUrl(settings.listen)}/health`),
  }
}

function nodeProcess(
  name: 'host-agent' | 'control-plane',
  folders: Folders,
): Pick<ProcessSpec, 'name' | 'command' | 'logFile' | 'pidFile' | 'stopSignal' | 'readyTimeoutMs'> {
  return {
    name,
    command: [process.execPath, ...frugalNode, join(repository, 'apps', name, 'src', 'main.ts')],
    logFile: folders.logFile(name),
    pidFile: folders.pidFile(name),
    stopSignal: 'SIGTERM',
    readyTimeoutMs: READY_TIMEOUT_MS,
  }
}

/** V8 lets its young generation grow to three times 16 MiB; buffers that it has not collected yet come on top. */
const frugalNode = ['--max-semi-space-size=8']

/**
 * glibc keeps freed buffers in many arenas: a control plane that moves large files then stays at 240 to 264 MiB resident.
 * Few arenas, and pieces of the size of a socket's reads given back at once, bring it to 145 to 214 MiB; with the bound
 * above, to 142 to 179 (mallopt(3); measured over four round trips of 256 MiB).
 */
const frugalMalloc = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '1048576',
}

function commonEnvironment(settings: Settings, folders: Folders): NodeJS.ProcessEnv {
  const { environment, cacheDir } = settings
  return {
    ...frugalMalloc,
    NODE_COMPILE_CACHE: compileCache(cacheDir),
    ...environment,
    WRENN_DIR: folders.root,
    WRENN_CACHE_DIR: cacheDir,
  }
}

async function assertHealthy(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text}`)
}
