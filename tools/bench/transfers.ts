// Files and output through the platform, beside the same bytes straight to and from envd.
import { request, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { MIB, pipeBody } from '@wrenn/base'
import { encodeFrame } from '../../apps/host-agent/src/guest/frames.ts'
import { envdPort } from '../../apps/host-agent/src/network/addresses.ts'
import { download, upload } from '../../test/support/files.ts'
import { ExecStream } from '../../test/support/streams.ts'
import type { User } from '../../test/support/user.ts'
import type { Comparison } from './statistics.ts'

const sizeMib = 32
const runs = 10
const path = '/root/bench.bin'
const block = Buffer.alloc(64 * 1024, 'x')
const command = { cmd: 'head', args: ['-c', String(sizeMib * MIB), path] }

interface Guest {
  id: string
  hostIp: string
  token: string
}

/**
 * Milliseconds for `sizeMib` each way. The two sides take turns, also in who begins, so that neither always meets what the
 * other has left; the first two rounds warm both and do not count.
 */
export async function transferComparisons(user: User, guest: Guest): Promise<Comparison[]> {
  const jobs = {
    upload: { floor: () => uploadDirectly(guest), ours: () => uploadOurs(user, guest.id), promise: '≤ 1.11' },
    download: {
      floor: () => downloadDirectly(guest),
      ours: () => downloadOurs(user, guest.id),
      promise: '≤ 1.11',
    },
    output: {
      floor: () => outputDirectly(guest),
      ours: () => outputOurs(user, guest.id),
      promise: '≤ 1.25',
    },
  }
  const comparisons: Comparison[] = []
  for (const [name, { floor, ours, promise }] of Object.entries(jobs)) {
    const times = { floor: [] as number[], ours: [] as number[] }
    for (let run = -2; run < runs; run += 1) {
      const sides = [['floor', floor] as const, ['ours', ours] as const]
      for (const [side, transfer] of run % 2 === 0 ? sides : sides.toReversed()) {
        const durationMs = await timed(transfer)
        if (run >= 0) times[side].push(durationMs)
      }
    }
    comparisons.push({ what: `${name} of ${sizeMib} MiB`, ...times, promise: `ratio ${promise}` })
  }
  return comparisons
}

function content(): Readable {
  const count = (sizeMib * MIB) / block.length
  return Readable.from(
    (function* () {
      for (let index = 0; index < count; index += 1) yield block
    })(),
    { objectMode: false },
  )
}

async function uploadOurs(user: User, id: string): Promise<void> {
  const parts = [
    ['path', path],
    ['file', content()],
  ] as const
  const { status } = await upload(user, id, { variant: 'files/stream', parts })
  if (status !== 204) throw new Error(`the upload answered ${status}`)
}

async function downloadOurs(user: User, id: string): Promise<void> {
  await expectBytes(await download(user, id, { variant: 'files/stream', path }))
}

async function outputOurs(user: User, id: string): Promise<void> {
  const { webSocket } = await ExecStream.open(user, id)
  let bytes = 0
  webSocket.removeAllListeners('message')
  webSocket.on('message', (data) => (bytes += (data as Buffer).length))
  const closed = new Promise((resolve) => webSocket.once('close', resolve))
  webSocket.send(JSON.stringify({ type: 'start', ...command }))
  await closed
  if (bytes < sizeMib * MIB) throw new Error(`only ${bytes} bytes came`)
}

async function uploadDirectly(guest: Guest): Promise<void> {
  const answer = await direct(guest, {
    method: 'POST',
    path: `/files?path=${path}`,
    contentType: 'application/octet-stream',
    body: content(),
  })
  answer.resume()
  if (answer.statusCode !== 200) throw new Error(`envd answered ${answer.statusCode}`)
}

async function downloadDirectly(guest: Guest): Promise<void> {
  await expectBytes(await direct(guest, { method: 'GET', path: `/files?path=${path}` }))
}

async function outputDirectly(guest: Guest): Promise<void> {
  const body = Readable.from([encodeFrame({ process: command })], { objectMode: false })
  const contentType = 'application/connect+json'
  await expectBytes(
    await direct(guest, { method: 'POST', path: '/process.Process/Start', contentType, body }),
  )
}

function direct(
  { hostIp, token }: Guest,
  call: { method: string; path: string; contentType?: string; body?: Readable },
): Promise<IncomingMessage> {
  const { method, path, contentType, body } = call
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: hostIp,
      port: envdPort,
      method,
      path,
      headers: { 'x-access-token': token, ...(contentType ? { 'content-type': contentType } : {}) },
    })
    outgoing.on('error', reject).on('response', resolve)
    if (body) pipeBody(body, outgoing)
    else outgoing.end()
  })
}

async function expectBytes(answer: IncomingMessage): Promise<void> {
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) bytes += chunk.length
  if (answer.statusCode !== 200 || bytes < sizeMib * MIB)
    throw new Error(`status ${answer.statusCode}, ${bytes} bytes`)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
