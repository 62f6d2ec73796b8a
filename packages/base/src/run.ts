// Child processes that run to their end. No shell: a command and its arguments. Long-lived ones are spawned by their owners.
import { spawn } from 'node:child_process'

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
  signal?: AbortSignal
}

/** Runs a command to its end. Returns what it wrote; throws a CommandError unless it exits with 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  const timeoutMs = options.timeoutMs ?? 60_000
  const child = spawn(command, args, {
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: options.env,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(options.signal ? { signal: options.signal } : {}),
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      options.onOutput?.(text)
    })
  }
  // A command that ends without reading its input closes the pipe; its exit code tells what happened.
  child.stdin?.on('error', () => undefined).end(options.input)
  const reason = await new Promise<{ code: number | null; reason: string } | undefined>((resolve) => {
    child.on('error', (error) => resolve({ code: null, reason: error.message }))
    child.on('close', (code, signal) => {
      if (code === 0) resolve(undefined)
      else if (signal) resolve({ code, reason: `ended by ${signal} (limit ${timeoutMs} ms)` })
      else resolve({ code, reason: `exit code ${code}` })
    })
  })
  if (reason) throw new CommandError(command, args, { ...reason, stderr: output.stderr })
  return output
}
