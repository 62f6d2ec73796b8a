// exec/stream's connections: pings, peers that are gone, readers that are slow, and the end of the control plane. What
// commands do in them is tested with real VMs, in test/system.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { lockTable, query } from '../../../../test/support/postgres.ts'
import { ExecStream } from '../../../../test/support/streams.ts'
import { User } from '../../../../test/support/user.ts'

const pingMs = 20_000
const timeoutMs = 10_000

let platform: Platform
let user: User
let id: string

before(async () => {
  platform = await createPlatform()
  user = await User.signUp(platform.api.url)
  id = (await user.create()).id
})

after(() => platform?.remove())

/** A command that writes `args` until it is ended; nothing without. */
async function endless(args: string[] = [], as = user): Promise<ExecStream> {
  const stream = await ExecStream.open(as, id)
  stream.send({ type: 'start', cmd: 'yes', args })
  await stream.pid()
  return stream
}

test('a client is pinged every 20 s, and stays for as long as it answers', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const stream = await endless()
  let pongs = 0
  stream.webSocket.on('ping', () => (pongs += 1))
  context.mock.timers.tick(pingMs - 1)
  for (let ping = 1; ping <= 10; ping += 1) {
    assert.equal(stream.pings, ping - 1)
    context.mock.timers.tick(ping === 1 ? 1 : pingMs)
    await pollUntil('the ping comes', () => stream.pings === ping || undefined, { timeoutMs })
    // An answer to a ping of the client's own comes after its answer to the server's: so that one has arrived.
    const answered = new Promise((resolve) => stream.webSocket.once('pong', resolve))
    stream.webSocket.ping()
    await answered
  }
  assert.equal(stream.webSocket.readyState, stream.webSocket.OPEN)
  stream.webSocket.close()
  assert.equal(await stream.end(), 1005)
})

test('a client that answers no ping is gone after the third, and its command ends', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const stream = await endless()
  const { streamsEnded } = platform.agent
  // Without its socket's events the client hears and answers nothing.
  stream.webSocket.pause()
  context.mock.timers.tick(3 * pingMs)
  assert.equal(platform.agent.streamsEnded, streamsEnded)
  context.mock.timers.tick(pingMs)
  await pollUntil('its command ends', () => platform.agent.streamsEnded > streamsEnded || undefined, {
    timeoutMs,
  })
  stream.webSocket.terminate()
})

test('a slow reader for whom output waits is no lost one, however long it takes', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const stream = await endless(['x'.repeat(100_000)])
  stream.webSocket.pause()
  // Nothing more is written once every buffer on the way is full.
  let before = -1
  await pollUntil(
    'the command waits',
    () => {
      const waits = platform.agent.written === before
      before = platform.agent.written
      return waits || undefined
    },
    { timeoutMs, intervalMs: 200 },
  )
  const { streamsEnded, written } = platform.agent
  context.mock.timers.tick(30 * pingMs)
  assert.equal(platform.agent.streamsEnded, streamsEnded)
  stream.webSocket.resume()
  await pollUntil('the command goes on', () => platform.agent.written > written + 100 || undefined, {
    timeoutMs,
  })
  stream.webSocket.terminate()
})

test('a control plane that ends tells its clients, waits for none of them, and ends their commands', async () => {
  const other = await platform.another()
  const theirs = await User.signUp(other.url)
  id = (await theirs.create()).id
  const [polite, silent] = [await endless([], theirs), await endless(['x'.repeat(100_000)], theirs)]
  silent.webSocket.pause()
  const { streamsEnded } = platform.agent
  const startedAt = performance.now()
  await other.close()
  assert.ok(performance.now() - startedAt < 5_000)
  assert.equal(await polite.end(), 1001)
  silent.webSocket.resume()
  assert.notEqual(await silent.end(), 1000)
  await pollUntil('both commands end', () => platform.agent.streamsEnded === streamsEnded + 2 || undefined, {
    timeoutMs,
  })
})

test('a stream that is asked for while the control plane ends is refused, and holds nobody up', async () => {
  const other = await platform.another()
  const theirs = await User.signUp(other.url)
  id = (await theirs.create()).id
  // The look for the sandbox waits for this, and so the answer to the upgrade.
  const lock = await lockTable(platform.databaseUrl, 'sandboxes')
  try {
    const opening = assert.rejects(ExecStream.open(theirs, id), /503 unavailable/)
    await pollUntil('it waits', looksForIt, { timeoutMs })
    const closing = other.close()
    await pollUntil('nobody is let in any more', () => isRefused(other.url), { timeoutMs })
    await lock.release()
    await opening
    await closing
  } finally {
    await lock.release()
  }
})

/** Whether a look for a sandbox waits for the lock. */
async function looksForIt(): Promise<true | undefined> {
  const sql = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%id = any(%'`
  return (await query(platform.databaseUrl, sql)).length > 0 || undefined
}

async function isRefused(url: string): Promise<true | undefined> {
  return fetch(`${url}/health`).then(
    () => undefined,
    () => true,
  )
}
