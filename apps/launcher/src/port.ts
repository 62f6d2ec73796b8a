// Whether the public address can be listened on, asked before anything expensive is done.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { AppError, isErrno, run } from '@wrenn/base'
import type { ListenAddress } from './settings.ts'

/** Throws an AppError in one line that says who has the port. */
export async function assertPortFree({ host, port }: ListenAddress): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host, port, exclusive: true }, resolve)
    })
  } catch (cause) {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    if (isErrno(cause, 'EADDRINUSE')) {
      throw new AppError(
        'unavailable',
        `CP_LISTEN_ADDR ${address} is in use${await holderOf(port)}: stop that program, or choose another address, ` +
          `e.g. CP_LISTEN_ADDR=127.0.0.1:${port === 65_535 ? 8080 : port + 1} npm start`,
        { cause },
      )
    }
    throw new AppError('unavailable', `CP_LISTEN_ADDR ${address} cannot be listened on`, { cause })
  }
  await new Promise((resolve) => server.close(resolve))
}

async function holderOf(port: number): Promise<string> {
  try {
    const { stdout } = await run('ss', ['-Hltnp', `sport = :${port}`])
    const pid = /pid=(\d+)/.exec(stdout)?.[1]
    if (pid === undefined) return ''
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    return ` by pid ${pid} (${command.replaceAll('\0', ' ').trim().slice(0, 80)})`
  } catch {
    return ''
  }
}
