// What the platform tells of a real sandbox: each thing that happens to it, in its history and in the stream, with who
// and why.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { Wrenn } from '@wrenn/sdk'
import { agentRecord } from '../support/agent-record.ts'
import { TestPlatform } from '../support/real-platform.ts'
import { TeamView } from '../support/team-view.ts'

const account = { email: 'events@example.com', password: 'correct horse' }

let platform: TestPlatform

before(async () => {
  platform = await TestPlatform.create({ WRENN_ON_STOP: 'pause' })
})

after(() => platform?.remove())

test('what happens to sandboxes is told, with who and why: users, keys, Wrenn by itself', async () => {
  const baseUrl = platform.url
  const { email, token } = await new Wrenn({ baseUrl }).auth.signup(account)
  const signedIn = new Wrenn({ baseUrl, token })
  const { key } = await signedIn.apiKeys.create({ name: 'ci' })
  const byKey = new Wrenn({ baseUrl, apiKey: key })
  assert.equal((await byKey.me()).user?.email, email)
  const view = await TeamView.follow(byKey)
  try {
    const { id: idle } = await byKey.sandboxes.create({ timeout_sec: 2 })
    await view.until('it is paused', () => view.sandboxes.get(idle)?.status === 'paused')
    await signedIn.sandboxes.resume(idle)
    await byKey.sandboxes.destroy(idle)
    await view.until('it is gone', () => !view.sandboxes.has(idle))
    assert.deepEqual(view.statuses(idle).slice(0, 4), ['pending', 'running', 'paused', 'running'])
    assert.deepEqual((await history(byKey, idle)).slice(0, 4), [
      'created by ci',
      'started by ci',
      'paused by platform: It was idle for 2 s',
      `resumed by ${email}`,
    ])

    const { id } = await signedIn.sandboxes.create()
    await platform.interrupt()
    await platform.start()
    const restarted = async (): Promise<true | undefined> =>
      (await history(byKey, id)).some((line) => line.startsWith('resumed by platform')) || undefined
    await pollUntil('the restart is told', restarted, { timeoutMs: 30_000 })
    await view.until('the stream is back', () => view.readies === 2)
    const { record } = await agentRecord(platform.folder, id)
    assert.ok(record.state.kind === 'live')
    process.kill(record.state.process.pid, 'SIGKILL')
    await view.until('it has failed', () => view.sandboxes.get(id)?.status === 'error')
    await signedIn.sandboxes.destroy(id)
    await view.until('it is gone', () => !view.sandboxes.has(id))
    await view.untilRight()
    assert.deepEqual(view.statuses(id).slice(-2), ['error', 'stopped'])
    assert.deepEqual(await history(byKey, id), [
      `created by ${email}`,
      `started by ${email}`,
      'resumed by platform: It was paused in between, as when the platform stops.',
      'failed by platform: its VM ended by itself',
      `stopped by ${email}: It was destroyed on request.`,
    ])
  } finally {
    await view.close()
  }
})

/** Oldest first. */
async function history(wrenn: Wrenn, id: string): Promise<string[]> {
  const lines: string[] = []
  for await (const { type, by, reason } of wrenn.sandboxes.events(id))
    lines.unshift(`${type} by ${by.name ?? by.kind}${reason === undefined ? '' : `: ${reason}`}`)
  return lines
}
