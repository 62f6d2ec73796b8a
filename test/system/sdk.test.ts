// The SDK with a real VM: the whole life of a sandbox, as a user of the package writes it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { MIB, pollUntil, run } from '@wrenn/base'
import { Wrenn, type ExecEvent } from '@wrenn/sdk'
import { buildSdk, readmeCode } from '../support/built-sdk.ts'
import { TestPlatform } from '../support/real-platform.ts'

let platform: TestPlatform
let wrenn: Wrenn

before(async () => {
  platform = await TestPlatform.create()
  const baseUrl = platform.url
  const account = { email: 'sdk@example.com', password: 'correct horse' }
  const { token } = await new Wrenn({ baseUrl }).auth.signup(account)
  const { key } = await new Wrenn({ baseUrl, token }).apiKeys.create({ name: 'sdk' })
  wrenn = new Wrenn({ baseUrl, apiKey: key })
})

after(() => platform?.remove())

test('create, exec, stream, files, pause, resume, snapshot, create from it, destroy', async () => {
  const { sandboxes, snapshots } = wrenn
  const { files } = sandboxes
  const sandbox = await sandboxes.create({ memory_mb: 256, metadata: { from: 'sdk' } })
  const { id } = sandbox
  assert.deepEqual([sandbox.status, sandbox.memory_mb], ['running', 256])

  await files.write(id, '/root/program.py', 'import sys\nprint(6 * 7)\nsys.exit(int(sys.argv[1]))\n')
  const ran = await sandboxes.exec(id, { cmd: 'python3', args: ['/root/program.py', '3'] })
  assert.deepEqual([ran.exit_code, ran.stdout, ran.stderr], [3, '42\n', ''])
  await assert.rejects(sandboxes.exec(id, { cmd: 'true', cwd: '/nowhere' }), { code: 'invalid_request' })

  assert.deepEqual(await stopped(id), ['start', 'stdout ready\n', 'exit 143'])
  await leaves(id)

  const large = Buffer.alloc(20 * MIB, Buffer.from([1, 2, 3, 5, 8, 13, 21]))
  let sent = 0
  await files.writeStream(id, '/root/large', parts(large), {
    onProgress: ({ doneBytes }) => (sent = doneBytes),
  })
  const sum = await sandboxes.exec(id, { cmd: 'sha256sum', args: ['/root/large'] })
  const sha256 = createHash('sha256').update(large).digest('hex')
  assert.deepEqual([sum.stdout.split(' ')[0], sent], [sha256, large.length])
  const { stream, sizeBytes } = await files.readStream(id, '/root/large')
  const back = createHash('sha256')
  for await (const chunk of stream) back.update(chunk)
  assert.deepEqual([back.digest('hex'), sizeBytes], [sha256, large.length])

  const started = await sandboxes.exec(id, {
    cmd: 'sh',
    args: ['-c', 'sleep 100000 >/dev/null 2>&1 & echo $!'],
  })
  const pid = started.stdout.trim()
  assert.equal((await sandboxes.pause(id)).status, 'paused')
  await assert.rejects(sandboxes.exec(id, { cmd: 'true' }), { code: 'invalid_state', status: 409 })
  await assert.rejects(Array.fromAsync(sandboxes.execStream(id, { cmd: 'true' })), { code: 'invalid_state' })
  assert.equal((await sandboxes.resume(id)).status, 'running')
  await sandboxes.ping(id)
  assert.equal((await sandboxes.exec(id, { cmd: 'kill', args: ['-0', pid] })).exit_code, 0)

  const { name, size_bytes } = await snapshots.create({ sandbox_id: id, name: 'from-sdk' })
  assert.ok(size_bytes > 0)
  assert.equal((await sandboxes.get(id)).status, 'stopped')
  const again = await sandboxes.create({ template: name })
  assert.equal((await sandboxes.exec(again.id, { cmd: 'kill', args: ['-0', pid] })).exit_code, 0)
  assert.match(Buffer.from(await files.read(again.id, '/root/program.py')).toString(), /^import sys/)

  await sandboxes.destroy(again.id)
  await snapshots.delete(name)
  assert.deepEqual(await Array.fromAsync(sandboxes.list()), [])
})

test("the README's first program runs", async () => {
  const built = await buildSdk()
  try {
    const [program = ''] = await readmeCode()
    const file = join(built.folder, 'first.mjs')
    await writeFile(file, program.replace('http://127.0.0.1:8080', platform.url))
    const { stdout } = await run(process.execPath, [file], { timeoutMs: 120_000 })
    const said = ['0 hello 42', ...[1, 2, 3].map((n) => `it says ${n}`), 'it ended with 0']
    assert.deepEqual(stdout.split(/\n+/), [...said, ''])
  } finally {
    await built.remove()
  }
})

/** What a command that is stopped once it is ready says. */
async function stopped(id: string): Promise<string[]> {
  const said: string[] = []
  const stream = wrenn.sandboxes.execStream(id, { cmd: 'sh', args: ['-c', 'echo ready; exec sleep 600'] })
  for await (const event of stream) {
    said.push(spell(event))
    if (event.type === 'stdout') stream.stop()
  }
  return said
}

/** Leaving the loop ends the command. */
async function leaves(id: string): Promise<void> {
  let pid = 0
  for await (const event of wrenn.sandboxes.execStream(id, { cmd: 'sleep', args: ['600'] })) {
    assert.equal(event.type, 'start')
    pid = event.type === 'start' ? event.pid : 0
    break
  }
  const isGone = async (): Promise<true | undefined> => {
    const { exit_code } = await wrenn.sandboxes.exec(id, { cmd: 'kill', args: ['-0', String(pid)] })
    return exit_code === 0 ? undefined : true
  }
  await pollUntil('the command is gone', isGone, { timeoutMs: 30_000 })
}

function spell(event: ExecEvent): string {
  if (event.type === 'start') return 'start'
  return event.type === 'exit' ? `exit ${event.exit_code}` : `${event.type} ${event.data}`
}

async function* parts(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += MIB) yield content.subarray(at, at + MIB)
}
