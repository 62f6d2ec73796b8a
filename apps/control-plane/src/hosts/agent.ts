// The host agent as the control plane sees it: its API with our names, and a deadline on every call.
import { AppError, type SandboxId } from '@wrenn/base'
import type { Contract, HostAgentApi, HostAgentSchemas } from '@wrenn/contract'
import { ContractClient } from '@wrenn/http'

export type AgentHealth = HostAgentSchemas['Health']
export type AgentSandbox = HostAgentSchemas['Sandbox']

export interface Command {
  cmd: string
  args: string[]
  envs?: Record<string, string>
  cwd?: string
  user?: string
  stdin?: string
  timeoutSec: number
}

export interface CommandResult {
  exitCode: number
  stdout: string
  stderr: string
  encoding: 'utf-8' | 'base64'
  durationMs: number
  timedOut: boolean
  truncated: boolean
}

export interface AgentDeadlines {
  healthMs: number
  listMs: number
  /** The first create of a template boots it, under emulation for minutes. */
  createMs: number
  destroyMs: number
  /** On top of the command's own time limit. */
  execMarginMs: number
}

const defaultDeadlines: AgentDeadlines = {
  healthMs: 1_000,
  listMs: 5_000,
  createMs: 300_000,
  destroyMs: 15_000,
  execMarginMs: 30_000,
}

export interface AgentOptions {
  socketPath: string
  contract: Contract<HostAgentApi>
  deadlines?: Partial<AgentDeadlines>
}

export class Agent {
  readonly #client: ContractClient<HostAgentApi>
  readonly #deadlines: AgentDeadlines

  constructor({ socketPath, contract, deadlines }: AgentOptions) {
    this.#client = new ContractClient({ contract, peer: 'The host agent', target: { socketPath } })
    this.#deadlines = { ...defaultDeadlines, ...deadlines }
  }

  async health(): Promise<AgentHealth> {
    return within(this.#deadlines.healthMs, undefined, (signal) => this.#client.call('health', { signal }))
  }

  async listSandboxes(): Promise<AgentSandbox[]> {
    return within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('listSandboxes', { signal }),
    )
  }

  async createSandbox(
    sandbox: { id: SandboxId; template: string; vcpus: number; memoryMib: number },
    signal: AbortSignal,
  ): Promise<AgentSandbox> {
    const { memoryMib, ...rest } = sandbox
    const body = { ...rest, memory_mib: memoryMib }
    return within(this.#deadlines.createMs, signal, (signal) =>
      this.#client.call('createSandbox', { body, signal }),
    )
  }

  /** Fine also when there is none. */
  async destroySandbox(id: SandboxId): Promise<void> {
    const params = { id }
    await within(this.#deadlines.destroyMs, undefined, (signal) =>
      this.#client.call('destroySandbox', { params, signal }),
    )
  }

  async exec(id: SandboxId, command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { timeoutSec, ...rest } = command
    const input = { params: { id }, body: { ...rest, timeout_sec: timeoutSec } }
    const result = await within(timeoutSec * 1_000 + this.#deadlines.execMarginMs, signal, (signal) =>
      this.#client.call('exec', { ...input, signal }),
    )
    return {
      exitCode: result.exit_code,
      stdout: result.stdout,
      stderr: result.stderr,
      encoding: result.encoding,
      durationMs: result.duration_ms,
      timedOut: result.timed_out ?? false,
      truncated: result.truncated ?? false,
    }
  }

  close(): void {
    this.#client.close()
  }
}

/** Throws `agent_error` when the time is over, and the caller's reason when that aborts first. */
async function within<T>(
  timeoutMs: number,
  caller: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await call(caller ? AbortSignal.any([caller, timeout]) : timeout)
  } catch (cause) {
    if (!timeout.aborted || caller?.aborted) throw cause
    throw new AppError('agent_error', `The host agent did not answer within ${timeoutMs / 1_000} s`, {
      cause,
    })
  }
}
