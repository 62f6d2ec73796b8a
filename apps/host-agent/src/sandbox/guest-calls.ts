// What callers do in running sandboxes: commands and files. It runs beside the transitions, and all of it is activity for
// as long as it lasts.
import { AppError, timed, type SandboxId } from '@wrenn/base'
import { commandLines, type StreamRequest } from '../guest/command-stream.ts'
import type { Envd } from '../guest/envd.ts'
import { exec, type ExecRequest, type ExecResult } from '../guest/exec.ts'
import { readFile, writeFile, type FileContent, type Upload } from '../guest/files.ts'
import { stopProcess } from '../guest/process.ts'
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

  /** Nothing runs until the first line is asked for. */
  streamCommand(id: SandboxId, request: StreamRequest): AsyncGenerator<Buffer> {
    const { live, idle } = this.#table.need(id, 'running')
    return active(commandLines(live.envd, request), idle)
  }

  /** Returns at once. */
  stopCommand(id: SandboxId, pid: number): void {
    void stopProcess(this.#table.need(id, 'running').live.envd, pid)
  }

  async #inGuest<T>(id: SandboxId, work: (envd: Envd) => Promise<T>): Promise<T> {
    const { live, idle } = this.#table.need(id, 'running')
    const end = idle.begin()
    try {
      return await work(live.envd)
    } catch (error) {
      if (error instanceof AppError) throw error
      throw new AppError('agent_error', `sandbox ${id} did not answer`, { cause: error })
    } finally {
      end()
    }
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
