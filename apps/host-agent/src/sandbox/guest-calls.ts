// What callers do in running sandboxes: commands and files. It runs beside the transitions, and is activity for as long
// as it lasts; only looking on is none: how busy they are, what changes in a folder.
import type { Readable } from 'node:stream'
import { AppError, timed, type SandboxId } from '@wrenn/base'
import { commandLines, type StreamRequest } from '../guest/command-stream.ts'
import type { Envd } from '../guest/envd.ts'
import { exec, type ExecRequest, type ExecResult } from '../guest/exec.ts'
import { readFile, writeFile, type FileContent, type Upload } from '../guest/files.ts'
import {
  listFiles,
  makeDirectory,
  moveFile,
  removeFile,
  statFile,
  type FileEntry,
} from '../guest/filesystem.ts'
import { readMetrics, type GuestMetrics } from '../guest/metrics.ts'
import { stopProcess } from '../guest/process.ts'
import {
  attachTerminal,
  feedTerminal,
  resizeTerminal,
  startTerminal,
  stopTerminal,
  type TerminalCommand,
  type TerminalSize,
} from '../guest/terminal.ts'
import { watchFiles, type WatchRequest } from '../guest/watch.ts'
import type { IdleTimer } from './idle-timer.ts'
import type { StateTable } from './state-table.ts'

/** Each throws `not_found`, and `invalid_state` unless the sandbox is running. */
export class GuestCalls {
  readonly #table: StateTable

  constructor(table: StateTable) {
    this.#table = table
  }

  /** The idle time begins anew. */
  touch(id: SandboxId): void {
    this.#table.need(id, 'running').idle.touch()
  }

  async exec(id: SandboxId, request: ExecRequest): Promise<ExecResult> {
    return timed('exec', () => this.#inGuest(id, (envd) => exec(envd, request)))
  }

  async readFile(id: SandboxId, path: string, signal: AbortSignal): Promise<FileContent> {
    const end = this.#table.need(id, 'running').idle.begin()
    try {
      const content = await this.#inGuest(id, (envd) => readFile(envd, path, signal))
      content.stream.once('close', end)
      return content
    } catch (error) {
      end()
      throw error
    }
  }

  writeFile(id: SandboxId, upload: Upload): Promise<void> {
    return this.#inGuest(id, (envd) => writeFile(envd, upload))
  }

  listFiles(id: SandboxId, path: string, signal: AbortSignal): Promise<FileEntry[]> {
    return this.#inGuest(id, (envd) => listFiles(envd, path, signal))
  }

  statFile(id: SandboxId, path: string, signal: AbortSignal): Promise<FileEntry> {
    return this.#inGuest(id, (envd) => statFile(envd, path, signal))
  }

  makeDirectory(id: SandboxId, path: string, signal: AbortSignal): Promise<FileEntry> {
    return this.#inGuest(id, (envd) => makeDirectory(envd, path, signal))
  }

  moveFile(
    id: SandboxId,
    move: { source: string; destination: string; signal: AbortSignal },
  ): Promise<FileEntry> {
    return this.#inGuest(id, (envd) => moveFile(envd, move))
  }

  removeFile(id: SandboxId, path: string, signal: AbortSignal): Promise<void> {
    return this.#inGuest(id, (envd) => removeFile(envd, path, signal))
  }

  /** Is no activity. */
  watchFiles(id: SandboxId, request: WatchRequest): Promise<AsyncGenerator<Buffer>> {
    const { live } = this.#table.need(id, 'running')
    return answered(id, watchFiles(live.envd, request))
  }

  /** Is no activity. */
  metrics(id: SandboxId, signal: AbortSignal): Promise<GuestMetrics> {
    const { live } = this.#table.need(id, 'running')
    return answered(id, readMetrics(live.envd, signal))
  }

  /** Nothing runs until the first line is asked for. */
  streamCommand(id: SandboxId, request: StreamRequest): AsyncGenerator<Buffer> {
    const { live, idle } = this.#table.need(id, 'running')
    return active(commandLines(live.envd, request), idle)
  }

  /** Returns at once. */
  stopCommand(id: SandboxId, pid: number): void {
    void stopProcess(this.#table.need(id, 'running').live.envd, pid)
  }

  /** An open terminal is activity; one that nobody follows is not. */
  async startTerminal(
    id: SandboxId,
    command: TerminalCommand,
    follower: { size: TerminalSize; signal: AbortSignal },
  ): Promise<AsyncGenerator<Buffer>> {
    const { idle } = this.#table.need(id, 'running')
    return active(await this.#inGuest(id, (envd) => startTerminal(envd, command, follower)), idle)
  }

  /** As `startTerminal`. */
  async attachTerminal(
    id: SandboxId,
    pid: number,
    follower: { size: TerminalSize; signal: AbortSignal },
  ): Promise<AsyncGenerator<Buffer>> {
    const { idle } = this.#table.need(id, 'running')
    return active(await this.#inGuest(id, (envd) => attachTerminal(envd, pid, follower)), idle)
  }

  feedTerminal(id: SandboxId, pid: number, typing: { input: Readable; signal: AbortSignal }): Promise<void> {
    return this.#inGuest(id, (envd) => feedTerminal(envd, pid, typing))
  }

  resizeTerminal(id: SandboxId, pid: number, size: TerminalSize): Promise<void> {
    return this.#inGuest(id, (envd) => resizeTerminal(envd, pid, size))
  }

  /** Returns at once. */
  stopTerminal(id: SandboxId, pid: number): void {
    void stopTerminal(this.#table.need(id, 'running').live.envd, pid)
  }

  async #inGuest<T>(id: SandboxId, work: (envd: Envd) => Promise<T>): Promise<T> {
    const { live, idle } = this.#table.need(id, 'running')
    const end = idle.begin()
    try {
      return await answered(id, work(live.envd))
    } finally {
      end()
    }
  }
}

/** What a guest's answer fails with, when it is no refusal, is `agent_error`. */
async function answered<T>(id: SandboxId, answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('agent_error', `sandbox ${id} did not answer`, { cause: error })
  }
}

/** The lines; as long as they come, the sandbox is active. */
async function* active(lines: AsyncGenerator<Buffer>, idle: IdleTimer): AsyncGenerator<Buffer> {
  const end = idle.begin()
  try {
    yield* lines
  } finally {
    end()
  }
}
