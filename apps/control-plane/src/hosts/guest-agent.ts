// What happens in the guests of an agent's sandboxes, with our names: commands, files, how busy they are.
import type { Readable } from 'node:stream'
import { AppError, type SandboxId } from '@wrenn/base'
import type { HostAgentApi, HostAgentSchemas } from '@wrenn/contract'
import type { ContractClient } from '@wrenn/http'
import { formBody } from './upload-body.ts'
import { within } from './within.ts'

export type AgentFileEntry = HostAgentSchemas['FileEntry']
export type AgentMetrics = HostAgentSchemas['Metrics']

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

export interface TerminalSize {
  cols: number
  rows: number
}

export interface TerminalCommand extends Omit<Command, 'cmd' | 'stdin' | 'timeoutSec'> {
  /** Left out: the user's login shell. */
  cmd?: string
}

/** Who follows a terminal. */
export interface Follower {
  size: TerminalSize
  signal: AbortSignal
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

interface AtPath {
  path: string
  signal: AbortSignal
}

export interface GuestDeadlines {
  /** Of what answers at once. */
  listMs: number
  /** On top of the command's own time limit. */
  execMarginMs: number
  /** Of a look at a guest's files: a folder may hold very many. */
  lookMs: number
}

export class GuestAgent {
  readonly #client: ContractClient<HostAgentApi>
  readonly #deadlines: GuestDeadlines

  constructor(client: ContractClient<HostAgentApi>, deadlines: GuestDeadlines) {
    this.#client = client
    this.#deadlines = deadlines
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
    yield* lines(await this.#client.stream('streamCommand', { params: { id }, body: command, signal }))
  }

  /** As `streamCommand`, but leaving the loop leaves the terminal running. Throws `invalid_request`. */
  async *startTerminal(
    id: SandboxId,
    command: TerminalCommand,
    { size, signal }: Follower,
  ): AsyncGenerator<Buffer> {
    const body = { ...command, ...size }
    yield* lines(await this.#client.stream('startTerminal', { params: { id }, body, signal }))
  }

  /** As `startTerminal`, of one that runs: its last output first. Throws `not_found`. */
  async *attachTerminal(id: SandboxId, pid: number, { size, signal }: Follower): AsyncGenerator<Buffer> {
    const params = { id, pid: String(pid) }
    yield* lines(await this.#client.stream('attachTerminal', { params, body: size, signal }))
  }

  /** Types what comes, for as long as it goes on: has no deadline. Throws `not_found` when the terminal is gone. */
  async feedTerminal(
    id: SandboxId,
    pid: number,
    { input, signal }: { input: Readable; signal: AbortSignal },
  ): Promise<void> {
    const params = { id, pid: String(pid) }
    const body = { contentType: 'application/octet-stream', stream: input }
    await this.#client.call('feedTerminal', { params, body, signal })
  }

  async resizeTerminal(id: SandboxId, pid: number, size: TerminalSize): Promise<void> {
    const params = { id, pid: String(pid) }
    await within(this.#deadlines.lookMs, undefined, (signal) =>
      this.#client.call('resizeTerminal', { params, body: size, signal }),
    )
  }

  /** Returns at once: SIGHUP, and SIGKILL later. */
  async stopTerminal(id: SandboxId, pid: number): Promise<void> {
    const params = { id, pid: String(pid) }
    await within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('stopTerminal', { params, signal }),
    )
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

  async listFiles(id: SandboxId, { path, signal }: AtPath): Promise<AgentFileEntry[]> {
    return within(this.#deadlines.lookMs, signal, (signal) =>
      this.#client.call('listFiles', { params: { id }, query: { path }, signal }),
    )
  }

  async statFile(id: SandboxId, { path, signal }: AtPath): Promise<AgentFileEntry> {
    return within(this.#deadlines.lookMs, signal, (signal) =>
      this.#client.call('statFile', { params: { id }, query: { path }, signal }),
    )
  }

  async makeDirectory(id: SandboxId, { path, signal }: AtPath): Promise<AgentFileEntry> {
    return within(this.#deadlines.lookMs, signal, (signal) =>
      this.#client.call('makeDirectory', { params: { id }, body: { path }, signal }),
    )
  }

  /** Has no deadline of its own: it may copy all that is on a disk. The agent has one. */
  async moveFile(
    id: SandboxId,
    { signal, ...body }: { source: string; destination: string; signal: AbortSignal },
  ): Promise<AgentFileEntry> {
    return this.#client.call('moveFile', { params: { id }, body, signal })
  }

  /** As `moveFile`. */
  async removeFile(id: SandboxId, { path, signal }: AtPath): Promise<void> {
    await this.#client.call('removeFile', { params: { id }, query: { path }, signal })
  }

  /** Events, each as JSON in UTF-8, from the answer on. Is no activity. */
  async watchFiles(
    id: SandboxId,
    { path, recursive, signal }: AtPath & { recursive: boolean },
  ): Promise<AsyncGenerator<Buffer>> {
    const query = { path, recursive: recursive ? ('true' as const) : ('false' as const) }
    return lines(await this.#client.stream('watchFiles', { params: { id }, query, signal }))
  }

  /** Is no activity. */
  async metrics(id: SandboxId, signal: AbortSignal): Promise<AgentMetrics> {
    return within(this.#deadlines.listMs, signal, (signal) =>
      this.#client.call('getMetrics', { params: { id }, signal }),
    )
  }
}

/** Throws `agent_error` when the agent breaks off. */
async function* lines(answer: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  try {
    for await (const chunk of answer) {
      let from = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        const rest = chunk.subarray(from, end)
        yield begun.length === 0 ? rest : Buffer.concat([...begun, rest])
        begun = []
        from = end + 1
      }
      if (from < chunk.length) begun.push(chunk.subarray(from))
    }
  } catch (cause) {
    throw new AppError('agent_error', 'The host agent broke off', { cause })
  }
}
