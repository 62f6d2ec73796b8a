// Transfers with real VMs: whole or not at all, whoever goes away, at the pace of the slower side and in bounded memory.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { MIB, pollUntil } from '@wrenn/base'
import { download, sha256, temporaryFiles, testBytes, upload, type FileAnswer } from '../support/files.ts'
import { residentMib, residentMibOf } from '../support/memory.ts'
import { TestPlatform } from '../support/real-platform.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User
let id: string

before(async () => {
  platform = await TestPlatform.create({ WRENN_DISK_MB: '1024' })
  user = await User.signUp(platform.url)
  id = (await user.create()).id
})

after(() => platform?.remove())

const deadline = { timeoutMs: 60_000 }

test('an upload that breaks off leaves the old file and nothing else', async () => {
  await send(id, '/root/whole', Readable.from(['old']))
  for (const order of ['path first', 'file first']) {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(3 * MIB)
        await guestSays(id, temporaryFiles, '1')
        assert.equal(await user.sh(id, 'cat /root/whole'), 'old')
        throw new Error('the client is gone')
      })(),
    )
    const parts = [
      ['path', '/root/whole'],
      ['file', broken],
    ] as const
    const sent = order === 'path first' ? parts : parts.toReversed()
    await assert.rejects(upload(user, id, { variant: 'files/stream', parts: sent }), /the client is gone/)
    await guestSays(id, temporaryFiles, '0')
  }
  assert.equal(await text(await fetchFile(id, '/root/whole')), 'old')
})

test('a transfer whose VM dies breaks off instead of ending', async () => {
  const victim = (await user.create()).id
  await user.sh(victim, 'truncate -s 300M /root/large')
  const answer = await fetchFile(victim, '/root/large')
  const endless = Readable.from(
    (async function* () {
      yield Buffer.alloc(MIB)
      await guestSays(victim, temporaryFiles, '1')
      await signalVm(victim, 'SIGKILL')
      for (;;) yield Buffer.alloc(MIB)
    })(),
  )
  const sent = await send(victim, '/root/upload', endless)
  assert.match(`${sent.status} ${sent.code}`, /^(409 invalid_state|502 agent_error)$/)
  // Of which only the beginning had been read until now.
  await assert.rejects(buffer(answer), /aborted|Premature close/)
  await user.destroy(victim)
})

test('a client that leaves a download ends it in the guest', async () => {
  await user.sh(id, 'truncate -s 300M /root/large')
  const leaving = new AbortController()
  const answer = await download(user, id, { path: '/root/large', signal: leaving.signal })
  answer.on('error', () => undefined)
  const opened = 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c /root/large || true'
  assert.equal(await user.sh(id, opened), '1')
  leaving.abort()
  await guestSays(id, opened, '0')
  await user.sh(id, 'rm /root/large')
})

test('a client that does not read holds the guest back, and gets all of it later', async () => {
  await user.sh(id, 'truncate -s 300M /root/large')
  const answer = await fetchFile(id, '/root/large')
  const position = async (): Promise<number> => {
    const found = await user.sh(
      id,
      'for fd in /proc/[0-9]*/fd/*; do [ "$(readlink $fd)" = /root/large ] && cat $(echo $fd | sed \'s#/fd/#/fdinfo/#\'); done; true',
    )
    return Number(/^pos:\s+(\d+)/m.exec(found)?.[1])
  }
  let last = -1
  const stopped = await pollUntil(
    'the guest waits',
    async () => {
      const before = last
      last = await position()
      return last === before ? last : undefined
    },
    deadline,
  )
  assert.ok(stopped < 64 * MIB, `${stopped} bytes were read`)
  assert.equal((await sha256(answer)).sizeBytes, 300 * MIB)
  await user.sh(id, 'rm /root/large')
})

test('a guest that does not read holds the client back, and gets all of it later', async () => {
  let taken = 0
  const content = Readable.from(
    (function* () {
      for (; taken < 128 * MIB; taken += MIB) yield Buffer.alloc(MIB)
    })(),
    { objectMode: false },
  )
  await signalVm(id, 'SIGSTOP')
  const sent = send(id, '/root/large', content)
  let last = -1
  try {
    await pollUntil(
      'the client waits',
      () => {
        const before = last
        last = taken
        return last > 0 && last === before ? true : undefined
      },
      { ...deadline, intervalMs: 1_000 },
    )
    assert.ok(taken < 64 * MIB, `${taken} bytes were taken`)
  } finally {
    await signalVm(id, 'SIGCONT')
  }
  assert.equal((await sent).status, 204)
  assert.equal(await user.sh(id, 'stat -c %s /root/large; rm /root/large'), String(128 * MIB))
})

test('256 MiB go up and come back the same, in bounded memory', async () => {
  const roundTrip = async (): Promise<void> => {
    const content = testBytes(256 * MIB)
    assert.equal((await send(id, '/root/large', content.stream)).status, 204)
    const answer = await fetchFile(id, '/root/large')
    assert.deepEqual(await sha256(answer), { sha256: content.sha256(), sizeBytes: 256 * MIB })
  }
  await roundTrip()
  const warm = await resident()
  await roundTrip()
  const later = await resident()
  for (const [name, mib] of Object.entries(later)) {
    const before = warm[name] ?? Number.NaN
    assert.ok(mib - before <= 32 && mib < 256, `${name}: ${before} MiB after one transfer, then ${mib} MiB`)
  }
  await user.sh(id, 'rm /root/large')
})

/** MiB of each process that the bytes pass. */
async function resident(): Promise<Record<string, number>> {
  const envd = await user.sh(
    id,
    `for p in /proc/[0-9]*; do case "$(tr '\\0' ' ' < $p/cmdline)" in 'envd serve '*) cat $p/status; esac; done; true`,
  )
  return {
    'control-plane': await residentMib((await platform.process('control-plane')).pid),
    'host-agent': await residentMib((await platform.process('host-agent')).pid),
    envd: residentMibOf(envd),
  }
}

function send(sandboxId: string, path: string, content: Readable): Promise<FileAnswer> {
  const parts = [
    ['path', path],
    ['file', content],
  ] as const
  return upload(user, sandboxId, { variant: 'files/stream', parts })
}

async function fetchFile(sandboxId: string, path: string): ReturnType<typeof download> {
  const answer = await download(user, sandboxId, { variant: 'files/stream', path })
  assert.equal(answer.statusCode, 200)
  return answer
}

async function guestSays(sandboxId: string, line: string, expected: string): Promise<void> {
  await pollUntil(
    `${line} says ${expected}`,
    async () => ((await user.sh(sandboxId, line)) === expected ? true : undefined),
    deadline,
  )
}

async function signalVm(sandboxId: string, signal: NodeJS.Signals): Promise<void> {
  const state = await readFile(`${platform.folder}/sandboxes/${sandboxId}/state.json`, 'utf8')
  process.kill((JSON.parse(state) as { state: { process: { pid: number } } }).state.process.pid, signal)
}
