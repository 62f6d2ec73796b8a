// HTTP over a bare socket, for tests: what a polite client would smooth over stays visible.
import type { Socket } from 'node:net'

export interface RawAnswer {
  status: number
  headers: Map<string, string>
  body: string
}

/** Fails when the connection breaks before all of it is written. */
export function writeAll(socket: Socket, part: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.write(part, (error) => {
      socket.off('error', reject)
      if (error) reject(error)
      else resolve()
    })
  })
}

/** One whole answer: up to Content-Length, or the end of the headers when there is none. */
export function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const done = (): void => {
      socket.removeAllListeners('data')
      resolve(text)
    }
    socket.on('error', reject)
    socket.on('close', done)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const end = text.indexOf('\r\n\r\n')
      const length = /^content-length: (\d+)/im.exec(text)?.[1] ?? '0'
      const isHead = /x-request-id/.test(text) && end >= 0
      if (isHead && text.length >= end + 4 + Number(length)) done()
    })
  })
}

export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = lines.map((line) => /^([^:]+): ?(.*)$/.exec(line)?.slice(1) ?? [])
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Map(headers.map(([name = '', value = '']) => [name.toLowerCase(), value])),
    body: text.slice(end + 4),
  }
}
