// The host agent as the control plane sees it: its API with our names, and a deadline on every call.
import { randomUUID } from 'node:crypto'
import { pipeline, Transform, type Readable } from 'node:stream'
import { AppError, type SandboxId, type SnapshotId } from '@wrenn/base'
import type { Contract, HostAgentApi, HostAgentSchemas } from '@wrenn/contract'
import { ContractClient } from '@wrenn/http'

export type AgentHealth = HostAgentSchemas['Health']
export type AgentSandbox = HostAgentSchemas['Sandbox']
export type AgentSnapshot = HostAgentSchemas['Snapshot']
export type AgentTemplate = HostAgentSchemas['Template']

export interface SandboxSpec {
  id: SandboxId
  /** The base template. */
  template: string
  /** What it starts from; left out: the base template. */
  snapshot?: SnapshotId
  vcpus: number
  memoryMib: number
  /** 0: never. */
  timeoutSec: number
  onTimeout: 'pause' | 'destroy'
}

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

export interface StreamedCommand extends Omit<Command, 'timeoutSec'> {
  encoding: 'utf-8' | 'base64'
}

export interface FileUpload {
  /** A promise when it is known only at the end of the content. */
  path: string | Promise<string>
  /** What it fails with comes back to the caller. Its chunks are freed when they are sent. */
  content: Readable
  signal: AbortSignal
}

export interface FileContent {
  /** Undefined when nobody knows it. */
  sizeBytes: number | undefined
  /** Fails when it breaks off. Must be read or destroyed. */
  stream: Readable
}

export interface AgentDeadlines {
  healthMs: number
  listMs: number
  /** The first create of a template boots it, under emulation for minutes. */
  createMs: number
  destroyMs: number
  /** Of a pause, resume or snapshot: it writes or reads all of a VM's memory, on disks of any speed. */
  changeMs: number
  /** On top of the command's own time limit. */
  execMarginMs: number
}

const defaultDeadlines: AgentDeadlines = {
  healthMs: 1_000,
  listMs: 5_000,
  createMs: 300_000,
  destroyMs: 15_000,
  changeMs: 300_000,
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

  async listTemplates(): Promise<AgentTemplate[]> {
    return within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('listTemplates', { signal }),
    )
  }

  async listSnapshots(): Promise<AgentSnapshot[]> {
    return within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('listSnapshots', { signal }),
    )
  }

  /** The sandbox is gone afterwards; on any failure that the agent tells of, it is as it was. May be repeated. */
  async createSnapshot(key: SnapshotId, sandboxId: SandboxId): Promise<AgentSnapshot> {
    const input = { params: { key }, body: { sandbox_id: sandboxId } }
    return within(this.#deadlines.changeMs, undefined, (signal) =>
      this.#client.call('createSnapshot', { ...input, signal }),
    )
  }

  /** Fine also when there is none. */
  async deleteSnapshot(key: SnapshotId): Promise<void> {
    const params = { key }
    await within(this.#deadlines.destroyMs, undefined, (signal) =>
      this.#client.call('deleteSnapshot', { params, signal }),
    )
  }

  async listSandboxes(): Promise<AgentSandbox[]> {
    return within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('listSandboxes', { signal }),
    )
  }

  async createSandbox(
    { memoryMib, timeoutSec, onTimeout, ...rest }: SandboxSpec,
    signal: AbortSignal,
  ): Promise<AgentSandbox> {
    const body = { ...rest, memory_mib: memoryMib, timeout_sec: timeoutSec, on_timeout: onTimeout }
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

  async getSandbox(id: SandboxId): Promise<AgentSandbox> {
    const params = { id }
    return within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('getSandbox', { params, signal }),
    )
  }

  /** On any failure that the agent tells of, the sandbox runs on. */
  async pauseSandbox(id: SandboxId): Promise<AgentSandbox> {
    const params = { id }
    return within(this.#deadlines.changeMs, undefined, (signal) =>
      this.#client.call('pauseSandbox', { params, signal }),
    )
  }

  /** On any failure that the agent tells of, the sandbox stays paused. */
  async resumeSandbox(id: SandboxId): Promise<AgentSandbox> {
    const params = { id }
    return within(this.#deadlines.changeMs, undefined, (signal) =>
      this.#client.call('resumeSandbox', { params, signal }),
    )
  }

  /** Begins the idle time anew. */
  async touchSandbox(id: SandboxId): Promise<void> {
    const params = { id }
    await within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('touchSandbox', { params, signal }),
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

  /**
   * The command's messages, each as JSON in UTF-8, as they come; the last is `exit` or `error`. Has no deadline: a
   * command may be silent for hours. Throws when the agent breaks off. Leaving the loop ends the command.
   */
  async *streamCommand(id: SandboxId, command: StreamedCommand, signal: AbortSignal): AsyncGenerator<Buffer> {
    const answer = await this.#client.stream('streamCommand', { params: { id }, body: command, signal })
    try {
      yield* lines(answer)
    } catch (cause) {
      throw new AppError('agent_error', 'The host agent broke off', { cause })
    }
  }

  /** Returns at once: SIGTERM, and SIGKILL later. */
  async stopCommand(id: SandboxId, pid: number): Promise<void> {
    const params = { id, pid: String(pid) }
    await within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('stopCommand', { params, signal }),
    )
  }

  /** Has no deadline of its own: the agent ends a transfer in which nothing moves. */
  async readFile(id: SandboxId, file: { path: string; signal: AbortSignal }): Promise<FileContent> {
    const { path, signal } = file
    const stream = await this.#client.stream('readFile', { params: { id }, query: { path }, signal })
    const length = stream.headers['content-length']
    return { sizeBytes: length === undefined ? undefined : Number(length), stream }
  }

  /** As `readFile`, the other way. */
  async writeFile(id: SandboxId, { path, content, signal }: FileUpload): Promise<void> {
    const params = { id }
    if (typeof path === 'string') {
      const body = { contentType: 'application/octet-stream', stream: content }
      await this.#client.call('writeFile', { params, query: { path }, body, signal })
    } else await this.#client.call('writeFile', { params, body: formBody(content, path), signal })
  }

  close(): void {
    this.#client.close()
  }
}

async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const rest = chunk.subarray(from, end)
      yield begun.length === 0 ? rest : Buffer.concat([...begun, rest])
      begun = []
      from = end + 1
    }
    if (from < chunk.length) begun.push(chunk.subarray(from))
  }
}

/** RFC 7578. The boundary cannot be guessed, so that no content holds it. */
function formBody(content: Readable, path: Promise<string>): { contentType: string; stream: Readable } {
  const boundary = randomUUID()
  const head = (field: string): string =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${field}"\r\n\r\n`
  const tail = (path: string): string => `\r\n${head('path')}${path}\r\n--${boundary}--\r\n`
  const form = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, chunk),
    flush: (done) => void path.then((path) => done(null, Buffer.from(tail(path))), done),
  })
  form.push(head('file'))
  const contentType = `multipart/form-data; boundary=${boundary}`
  // What is wrong is the form's error.
  return { contentType, stream: pipeline(content, form, () => undefined) }
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
