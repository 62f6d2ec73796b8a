// A bare HTTP client with kept connections, the same for the floor and for us.
import { Agent, request } from 'node:http'

const agent = new Agent({ keepAlive: true })

/** Sends one request and reads the answer whole. Throws unless the status is as expected. */
export function send(
  url: string,
  options: { method: string; headers: Record<string, string>; body?: Buffer; expect: number },
): Promise<Buffer> {
  const { method, headers, body, expect } = options
  return new Promise((resolve, reject) => {
    const call = request(url, { method, agent, headers: { ...headers, 'content-length': body?.length ?? 0 } })
    call.on('error', reject)
    call.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const answer = Buffer.concat(chunks)
        if (response.statusCode === expect) resolve(answer)
        else reject(new Error(`${method} ${url}: ${response.statusCode} ${answer.toString().slice(0, 500)}`))
      })
    })
    call.end(body)
  })
}
