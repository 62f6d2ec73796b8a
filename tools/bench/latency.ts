// From a byte written in the guest to its WebSocket message at the client, beside envd's own stream of the same guest.
//
// A sample: one end of a fifo in the guest is written to (through envd, directly), whereupon a process writes the time to
// its stdout, and the message arrives here. So there are three times: sent and received by the host's clock, stamped by
// the guest's. Whatever the clocks' difference is, every stamp lies between its sent and its received: all samples together
// confine the difference to an interval, without assuming that one way takes as long as the other. Its middle is used, and
// half its width is the most by which every figure may be wrong. That error is the same for floor and ours, so what the
// platform adds is free of it. Clocks drift: the interval is found for a few seconds' samples at a time.
import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { decodeFrames, encodeFrame } from '../../apps/host-agent/src/guest/frames.ts'
import { envdPort } from '../../apps/host-agent/src/network/addresses.ts'
import { ExecStream } from '../../test/support/streams.ts'
import { inOneSandbox, type Bench, type Guest } from './client.ts'
import { percentile } from './statistics.ts'

interface Sample {
  side: 'floor' | 'ours'
  sentMs: number
  stampedMs: number
  receivedMs: number
}

const warmUp = 100
const samplesPerRun = 15
/** Of both kinds together. */
const windowSamples = 100

/** For every line that comes through the fifo: the time, written at once. */
const stamper = (fifo: string): string[] => [
  '-uc',
  `import os, time
os.path.exists("${fifo}") or os.mkfifo("${fifo}")
fifo = os.open("${fifo}", os.O_RDWR)
os.write(1, b"ready\\n")
while os.read(fifo, 1): os.write(1, b"%d\\n" % time.time_ns())`,
]
/** Writes to the fifo that each line names. */
const trigger = 'while read -r fifo; do echo -n x > $fifo; done'

export async function outputLatency(bench: Bench): Promise<string[]> {
  return inOneSandbox(bench, async (guest) => {
    const over = new AbortController()
    const readers = { floor: new Stamps(), ours: new Stamps() }
    await streamDirectly(guest, { reader: readers.floor, signal: over.signal })
    const ours = await streamOurs(bench, guest, readers.ours)
    const [floorReady, oursReady, pull] = await Promise.all([
      readers.floor.next(),
      readers.ours.next(),
      startTrigger(guest, over.signal),
    ])
    if (Number.isFinite(floorReady.stampedMs + oursReady.stampedMs)) throw new Error('a stamp came too early')
    const samples: Sample[] = []
    for (let run = -warmUp; run < bench.runs * samplesPerRun; run += 1)
      for (const side of ['floor', 'ours'] as const) {
        const next = readers[side].next()
        const sentMs = hostMs()
        await pull(fifoOf(side))
        const sample = { side, sentMs, ...(await next) }
        if (run >= 0) samples.push(sample)
      }
    over.abort()
    ours.webSocket.close()
    return summary(samples)
  })
}

function summary(samples: readonly Sample[]): string[] {
  const delays = { floor: [] as number[], ours: [] as number[] }
  const roundTrips = { floor: [] as number[], ours: [] as number[] }
  let uncertainMs = 0
  for (let from = 0; from < samples.length; from += windowSamples) {
    const window = samples.slice(from, from + windowSamples)
    const most = Math.min(...window.map(({ stampedMs, sentMs }) => stampedMs - sentMs))
    const least = Math.max(...window.map(({ stampedMs, receivedMs }) => stampedMs - receivedMs))
    if (least > most) throw new Error("the guest's clock was changed, or drifts too fast to measure with it")
    const ahead = (least + most) / 2
    uncertainMs = Math.max(uncertainMs, (most - least) / 2)
    for (const { side, sentMs, stampedMs, receivedMs } of window) {
      delays[side].push(receivedMs - (stampedMs - ahead))
      roundTrips[side].push(receivedMs - sentMs)
    }
  }
  const figures = (values: number[]): string =>
    `p50 ${percentile(values, 0.5).toFixed(1)}  p99 ${percentile(values, 0.99).toFixed(1)}`
  const adds = percentile(delays.ours, 0.5) - percentile(delays.floor, 0.5)
  return [
    `byte written in the guest → message at the client, ${delays.ours.length} samples each:`,
    `  floor ${figures(delays.floor)}   (envd's stream)`,
    `  ours  ${figures(delays.ours)}   (its WebSocket message; p50 is ${adds.toFixed(1)} over the floor)`,
    `  each ± ${uncertainMs.toFixed(1)}, the same for both: the guest's clock is known no better`,
    `  with the way of the trigger into the guest: floor ${figures(roundTrips.floor)}, ours ${figures(roundTrips.ours)}`,
  ]
}

/** Lines of one stream, as they come. */
class Stamps {
  #waiting: PromiseWithResolvers<{ stampedMs: number; receivedMs: number }> | undefined
  #come: { stampedMs: number; receivedMs: number }[] = []

  add(line: string): void {
    const receivedMs = hostMs()
    const stamp = { stampedMs: Number(line) / 1e6, receivedMs }
    if (this.#waiting) this.#waiting.resolve(stamp)
    else this.#come.push(stamp)
    this.#waiting = undefined
  }

  async next(): Promise<{ stampedMs: number; receivedMs: number }> {
    const come = this.#come.shift()
    if (come) return come
    this.#waiting = Promise.withResolvers()
    return this.#waiting.promise
  }
}

function fifoOf(side: Sample['side']): string {
  return `/tmp/${side}`
}

/** Monotonic, in milliseconds: only differences count. */
function hostMs(): number {
  return performance.now()
}

async function streamOurs({ user }: Bench, { id }: Guest, reader: Stamps): Promise<ExecStream> {
  const stream = await ExecStream.open(user, id)
  stream.webSocket.removeAllListeners('message')
  stream.webSocket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString()) as { type: string; data?: string }
    if (message.type === 'stdout') reader.add(message.data ?? '')
  })
  stream.send({ type: 'start', cmd: 'python3', args: stamper(fifoOf('ours')) })
  return stream
}

async function streamDirectly(
  guest: Guest,
  { reader, signal }: { reader: Stamps; signal: AbortSignal },
): Promise<void> {
  const command = { cmd: 'python3', args: stamper(fifoOf('floor')) }
  const answer = await direct(guest, { method: 'Start', body: encodeFrame({ process: command }), signal })
  void follow(answer, signal, (event) => {
    if (event.data?.stdout !== undefined) reader.add(Buffer.from(event.data.stdout, 'base64').toString())
  })
}

/** Returns what writes a byte to a fifo in the guest. */
async function startTrigger(guest: Guest, signal: AbortSignal): Promise<(fifo: string) => Promise<void>> {
  const body = encodeFrame({ process: { cmd: 'sh', args: ['-c', trigger] }, stdin: true })
  const answer = await direct(guest, { method: 'Start', body, signal })
  const pid = await new Promise<number>((resolve) => {
    void follow(answer, signal, (event) => {
      if (event.start) resolve(event.start.pid)
    })
  })
  return async (fifo) => {
    const input = { stdin: Buffer.from(`${fifo}\n`).toString('base64') }
    const body = Buffer.from(JSON.stringify({ process: { pid }, input }))
    const answer = await direct(guest, { method: 'SendInput', body, signal })
    answer.resume()
    await once(answer, 'end')
  }
}

interface ProcessEvent {
  start?: { pid: number }
  data?: { stdout?: string }
}

/** Until it is cut. */
async function follow(
  answer: IncomingMessage,
  signal: AbortSignal,
  onEvent: (event: ProcessEvent) => void,
): Promise<void> {
  try {
    for await (const { json } of decodeFrames(answer)) onEvent((json as { event?: ProcessEvent }).event ?? {})
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function direct(
  { hostIp, token }: Guest,
  { method, body, signal }: { method: string; body: Buffer; signal: AbortSignal },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const type = method === 'Start' ? 'application/connect+json' : 'application/json'
    const call = request({
      host: hostIp,
      port: envdPort,
      method: 'POST',
      path: `/process.Process/${method}`,
      headers: { 'x-access-token': token, 'content-type': type, 'content-length': body.length },
      agent: method === 'Start' ? false : undefined,
      signal,
    })
    call.on('error', reject).on('response', resolve).setNoDelay(true)
    call.end(body)
  })
}
