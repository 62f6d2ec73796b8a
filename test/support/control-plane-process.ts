// The control plane as a process of its own, with its settings from the environment as in operation.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pollUntil } from '@wrenn/base'

const main = join(import.meta.dirname, '../../apps/control-plane/src/main.ts')

export interface ControlPlaneProcess {
  url: string
  /** All that it has written to stdout and stderr. */
  output(): string
  /** With SIGTERM; returns when it is gone. */
  end(): Promise<void>
  /** With SIGKILL; returns when it is gone. */
  kill(): Promise<void>
}

/** Returns when it listens. */
export async function startControlPlaneProcess(
  environment: Record<string, string>,
): Promise<ControlPlaneProcess> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const env = { PATH, NODE_COMPILE_CACHE, CP_LISTEN_ADDR: '127.0.0.1:0', ...environment }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const endBy = (signal: NodeJS.Signals) => async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await closed
  }
  const listening = (): string | undefined =>
    /"op":"listen".*"url":"([^"]+)"/.exec(output)?.[1] ?? (child.exitCode === null ? undefined : '')
  const url = await pollUntil('the control plane listens', listening, { timeoutMs: 30_000 })
  if (url === '') throw new Error(`it ended: ${output}`)
  return { url, output: () => output, end: endBy('SIGTERM'), kill: endBy('SIGKILL') }
}
