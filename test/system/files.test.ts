// Files in and out of sandboxes with real VMs: what files/write and files/read take, give and refuse.
import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { MIB } from '@wrenn/base'
import { download, readAnswer, temporaryFiles, testBytes, upload } from '../support/files.ts'
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

async function write(path: string, content: string | Buffer): Promise<void> {
  const answer = await upload(user, id, {
    parts: [
      ['path', path],
      ['file', content],
    ],
  })
  assert.deepEqual(answer, { status: 204, code: undefined, message: undefined })
}

async function read(path: string): Promise<Buffer> {
  const answer = await download(user, id, { path })
  assert.equal(answer.statusCode, 200, path)
  return buffer(answer)
}

async function refusedRead(path: string, variant: 'files' | 'files/stream' = 'files'): Promise<string> {
  const answer = await readAnswer(await download(user, id, { path, variant }))
  return `${answer.status} ${answer.code}`
}

for (const variant of ['files', 'files/stream'] as const) {
  for (const order of ['path first', 'file first']) {
    test(`${variant}: an upload with the ${order} comes back byte for byte`, async () => {
      const content = Buffer.from([0, 255, 13, 10, 45, 45, 98, 111, 117, 110, 100, 97, 114, 121, 13, 10])
      const path = `/root/new folder/${variant.replace('/', '-')} ${order}`
      const parts = [
        ['path', path],
        ['file', content],
      ] as const
      const sent = order === 'path first' ? parts : parts.toReversed()
      assert.equal((await upload(user, id, { variant, parts: sent })).status, 204)
      const answer = await download(user, id, { variant, path })
      assert.equal(answer.headers['content-type'], 'application/octet-stream')
      assert.deepEqual(await buffer(answer), content)
      assert.equal(await user.sh(id, `stat -c '%a %U' '${path}'`), '644 root')
    })
  }
}

test('empty files, unusual names and paths', async () => {
  const names = [
    '/root/with space',
    '/root/new\nline',
    '/root/🦜',
    '/root/a+b&c=d%41?#',
    '/root/x/../dots',
    '/tmp/memory',
  ]
  for (const path of names) {
    await write(path, path)
    assert.equal((await read(path)).toString(), path)
  }
  assert.equal(await user.sh(id, 'cat /root/dots'), '/root/x/../dots')
  await write('/root/empty', '')
  assert.equal((await read('/root/empty')).length, 0)
  const longest = `/root/${`${'d'.repeat(250)}/`.repeat(15)}${'f'.repeat(200)}`
  await write(longest, 'deep')
  assert.equal((await read(longest)).toString(), 'deep')
})

test('paths that cannot be are refused with 400, reading and writing', async () => {
  const paths = ['', 'relative', '~/home', '/nul\0byte', `/${'x'.repeat(5_000)}`, `/root/${'y'.repeat(300)}`]
  for (const path of paths) {
    for (const parts of [
      [
        ['path', path],
        ['file', 'content'],
      ],
      [
        ['file', 'content'],
        ['path', path],
      ],
    ] as const) {
      const { status, code } = await upload(user, id, { parts })
      assert.deepEqual({ status, code }, { status: 400, code: 'invalid_request' }, JSON.stringify(path))
    }
    assert.equal(await refusedRead(path), '400 invalid_request', JSON.stringify(path))
  }
  assert.equal(await user.sh(id, temporaryFiles), '0')
})

test('forms that lack something, have it twice or are none', async () => {
  const cases = [
    [['path', '/root/form']],
    [['file', 'x']],
    [],
    [
      ['path', '/root/form'],
      ['file', 'x'],
      ['file', 'y'],
    ],
    [
      ['path', '/root/form'],
      ['path', '/root/form2'],
      ['file', 'x'],
    ],
    [
      ['file', 'x'],
      ['path', '/root/form'],
      ['path', '/root/form2'],
    ],
  ] as const
  for (const parts of cases) {
    const { status, message } = await upload(user, id, { parts })
    assert.equal(status, 400, JSON.stringify(parts))
    assert.match(message ?? '', /path|file|form/)
  }
  const headers = { 'content-type': 'multipart/form-data' }
  assert.equal((await upload(user, id, { parts: [], headers })).status, 400)
  assert.equal(
    (await upload(user, id, { parts: [], headers: { 'content-type': 'application/json' } })).status,
    415,
  )
  assert.equal(await user.sh(id, `ls /root/form* 2>/dev/null; ${temporaryFiles}`), '0')
})

test('a replaced file keeps mode and owner, and a symlink is followed', async () => {
  await user.sh(
    id,
    'echo old > /root/kept; chown user:user /root/kept; chmod 4751 /root/kept; ln -s kept /root/link',
  )
  await write('/root/link', 'new')
  assert.equal(
    await user.sh(id, "cat /root/kept; echo; stat -c '%a %U' /root/kept; readlink /root/link"),
    'new\n4751 user\nkept',
  )
  assert.equal((await read('/root/link')).toString(), 'new')
})

test('what is no regular file is 400, what is missing 404, /proc is read to its end', async () => {
  await user.sh(
    id,
    'mkdir -p /root/folder; mkfifo /root/fifo; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\'/root/socket\')"',
  )
  for (const path of ['/root/folder', '/root/fifo', '/root/socket', '/dev/zero', '/']) {
    for (const variant of ['files', 'files/stream'] as const)
      assert.equal(await refusedRead(path, variant), '400 invalid_request', path)
    for (const parts of [
      [
        ['path', path],
        ['file', 'content'],
      ],
      [
        ['file', 'content'],
        ['path', path],
      ],
    ] as const)
      assert.equal((await upload(user, id, { parts })).status, 400, path)
  }
  assert.equal(await refusedRead('/root/missing'), '404 not_found')
  assert.equal(await refusedRead('/etc/passwd/below'), '404 not_found')
  assert.match((await read('/proc/meminfo')).toString(), /^MemTotal:[\s\S]*DirectMap/)
})

test('a sandbox that is not running is 409, another team’s 404', async () => {
  const other = await user.create()
  await user.destroy(other.id)
  const parts = [
    ['path', '/root/x'],
    ['file', 'x'],
  ] as const
  assert.equal((await upload(user, other.id, { parts })).status, 409)
  assert.equal((await download(user, other.id, { path: '/etc/passwd' })).statusCode, 409)
  const stranger = await User.signUp(platform.url)
  assert.equal((await upload(stranger, id, { parts })).status, 404)
  assert.equal((await download(stranger, id, { path: '/etc/passwd' })).statusCode, 404)
})

test('files/write takes 100 MiB and not a byte more, with and without Content-Length', async () => {
  await write('/root/capped', 'old')
  for (const sizeBytes of [100 * MIB + 1, 130 * MIB]) {
    const { status, code } = await upload(user, id, {
      parts: [
        ['path', '/root/capped'],
        ['file', testBytes(sizeBytes).stream],
      ],
    })
    assert.deepEqual({ status, code }, { status: 413, code: 'too_large' })
  }
  const early = await upload(user, id, { parts: [], headers: { 'content-length': String(200 * MIB) } })
  assert.equal(early.status, 413)
  assert.equal((await read('/root/capped')).toString(), 'old')
  const { status } = await upload(user, id, {
    parts: [
      ['file', testBytes(100 * MIB).stream],
      ['path', '/root/capped'],
    ],
  })
  assert.equal(status, 204)
  assert.equal(
    await user.sh(id, `stat -c %s /root/capped; rm /root/capped; ${temporaryFiles}`),
    `${100 * MIB}\n0`,
  )
})

test('a full disk is 507, whatever was still to be sent, and the old file stays', async () => {
  await write('/root/full', 'old')
  await user.sh(id, 'fallocate -l $(($(df --output=avail -B1 / | tail -1) - 20000000)) /root/ballast')
  for (const parts of [
    [
      ['path', '/root/full'],
      ['file', testBytes(4096 * MIB).stream],
    ],
    [
      ['file', testBytes(4096 * MIB).stream],
      ['path', '/root/full'],
    ],
  ] as const) {
    const { status, code } = await upload(user, id, { variant: 'files/stream', parts })
    assert.deepEqual({ status, code }, { status: 507, code: 'disk_full' })
  }
  assert.equal((await read('/root/full')).toString(), 'old')
  assert.equal(await user.sh(id, `rm /root/ballast; ${temporaryFiles}`), '0')
})
