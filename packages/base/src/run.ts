// Child processes that run to their end. No shell: a command and its arguments. Long-lived ones are spawned by their owners.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'

export class CommandError extends Error {
  readonly code: number | null
  readonly stderr: string

  constructor(
    command: string,
    args: readonly string[],
    result: { code: number | null; reason: string; stderr: string },
  ) {
    const tail = result.stderr.trim().split('\n').slice(-5).join('\n')
    super(`${command} ${args.slice(0, 6).join(' ')}: ${result.reason}${tail === '' ? '' : `: ${tail}`}`)
    this.name = 'CommandError'
    this.code = result.code
    this.stderr = result.stderr
  }
}

export interface RunOptions {
  input?: string
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Killed with SIGKILL when it takes longer. Default 60 s. */
  timeoutMs?: number
  /** Called with every piece of stdout and stderr as it comes. */
  onOutput?: (text: string) => void
  /** Kills it; `run` then throws the signal's reason. */
  signal?: AbortSignal
}

/**
 * Runs a command to its end. Returns what it wrote; throws a CommandError unless it exits with 0. When it returns or
 * throws, the command is gone; what the command has left in the background is not ended.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  const { signal, timeoutMs = 60_000 } = options
  signal?.throwIfAborted()
  const child = start(command, args, options)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      options.onOutput?.(text)
    })
  }
  // A command that ends without reading its input closes the pipe; its exit code tells what happened.
  child.stdin?.on('error', () => undefined).end(options.input)
  const failure = await ended(child, timeoutMs, signal)
  if (failure === undefined) return output
  signal?.throwIfAborted()
  throw new CommandError(command, args, { ...failure, stderr: output.stderr })
}

interface Failure {
  code: number | null
  reason: string
}

/** A missing program is reported as the child's `error` event, arguments that the kernel refuses are thrown. */
function start(command: string, args: readonly string[], { input, cwd, env }: RunOptions): ChildProcess {
  const stdio: StdioOptions = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']
  try {
    return spawn(command, args, { stdio, cwd, env })
  } catch (error) {
    throw new CommandError(command, args, { code: null, reason: String(error), stderr: '' })
  }
}

/** Settles when the command has ended and its output is read; kills it before that on a timeout or an abort. */
function ended(child: ChildProcess, timeoutMs: number, signal?: AbortSignal): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    let stopped = false
    const stop = (): void => {
      stopped = true
      // Something that the command has left in the background may hold the pipes open for ever.
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      else closeOutput(child)
    }
    const timer = setTimeout(stop, timeoutMs)
    signal?.addEventListener('abort', stop, { once: true })
    const settle = (failure?: Failure): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      resolve(failure)
    }
    child.once('error', (error) => settle({ code: null, reason: error.message }))
    child.once('exit', () => {
      if (stopped) closeOutput(child)
    })
    child.once('close', (code, killedBy) => {
      if (stopped) settle({ code, reason: `not done within ${timeoutMs} ms` })
      else if (killedBy) settle({ code, reason: `ended by ${killedBy}` })
      else settle(code === 0 ? undefined : { code, reason: `exit code ${code}` })
    })
  })
}

function closeOutput(child: ChildProcess): void {
  child.stdout?.destroy()
  child.stderr?.destroy()
}
