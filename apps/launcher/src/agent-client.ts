// The launcher's calls to the host agent (contracts/host-agent.yaml), over its unix socket.
import { request, type IncomingMessage } from 'node:http'

export interface AgentHealth {
  accelerator: { kind: 'kvm' | 'tcg'; reason: string }
  vmm: string
  sandboxes: number
  warnings: string[]
}

export interface AgentSandbox {
  id: string
  status: string
}

const CALL_TIMEOUT_MS = 5_000
/** A golden snapshot boots a VM, three times at worst, each with its own watchdog in the agent. */
const GOLDEN_TIMEOUT_MS = 240_000
const DESTROY_TIMEOUT_MS = 30_000

export class AgentClient {
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  async health(): Promise<AgentHealth> {
    return (await this.#call('GET', '/v1/health')) as AgentHealth
  }

  /** Makes the golden snapshot that a create with the default size resumes. */
  async prepareDefaultGolden(signal: AbortSignal): Promise<void> {
    const body = { template: 'minimal', vcpus: 1, memory_mib: 512 }
    await this.#call('POST', '/v1/goldens', { body, timeoutMs: GOLDEN_TIMEOUT_MS, signal })
  }

  async sandboxes(): Promise<AgentSandbox[]> {
    return (await this.#call('GET', '/v1/sandboxes')) as AgentSandbox[]
  }

  /** Pauses what runs until the next agent starts. */
  async suspend(timeoutSec: number, signal: AbortSignal): Promise<{ paused: number; failed: string[] }> {
    // The last pause may begin just before the time is over.
    const options = { body: { timeout_sec: timeoutSec }, timeoutMs: timeoutSec * 2_000, signal }
    return (await this.#call('POST', '/v1/suspend', options)) as { paused: number; failed: string[] }
  }

  async destroy(id: string): Promise<void> {
    await this.#call('DELETE', `/v1/sandboxes/${id}`, { timeoutMs: DESTROY_TIMEOUT_MS })
  }

  /** The parsed answer. Throws with the agent's own message unless it is a success. */
  #call(
    method: string,
    path: string,
    options: { body?: unknown; timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body)
    const deadline = AbortSignal.timeout(options.timeoutMs ?? CALL_TIMEOUT_MS)
    return new Promise((resolve, reject) => {
      const call = request({
        socketPath: this.#socketPath,
        method,
        path,
        agent: false,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        signal: options.signal ? AbortSignal.any([deadline, options.signal]) : deadline,
      })
      call.on('error', reject)
      call.on('response', (response) => {
        readAnswer(response, `${method} ${path}`).then(resolve, reject)
      })
      call.end(body)
    })
  }
}

async function readAnswer(response: IncomingMessage, what: string): Promise<unknown> {
  const text = Buffer.concat(await response.toArray()).toString()
  const answer: unknown = text === '' ? undefined : JSON.parse(text)
  if ((response.statusCode ?? 500) < 400) return answer
  const { message } = (answer as { error?: { message?: string } } | undefined)?.error ?? {}
  throw new Error(message ?? `${what}: status ${response.statusCode}`)
}
