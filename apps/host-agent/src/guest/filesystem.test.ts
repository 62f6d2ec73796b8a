// Against the real envd, in a folder of this machine.
import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { AppError, run } from '@wrenn/base'
import { listFiles, makeDirectory, moveFile, removeFile, statFile } from './filesystem.ts'
import { LocalEnvd } from './local-envd.ts'
import { readMetrics } from './metrics.ts'

let envd: LocalEnvd
before(async () => {
  envd = await LocalEnvd.start()
})
after(() => envd.stop())

const { signal } = new AbortController()
const list = (path: string) => listFiles(envd.client, path, signal)
const stat = (path: string) => statFile(envd.client, path, signal)
const make = (path: string) => makeDirectory(envd.client, path, signal)
const remove = (path: string) => removeFile(envd.client, path, signal)
const move = (source: string, destination: string) => moveFile(envd.client, { source, destination, signal })

/** A new folder. */
async function folder(name: string): Promise<string> {
  const path = join(envd.folder, name)
  await mkdir(path)
  return path
}

async function refused(code: string, message: RegExp, call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof AppError)
    assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message)
    return true
  })
}

test('an entry says what it is, as ls does', async () => {
  const at = await folder('entries')
  const file = join(at, 'file')
  await writeFile(file, '12345')
  await chmod(file, 0o640)
  await run('touch', ['-d', '2020-01-02T03:04:05.678Z', file])
  const { owner, group, ...rest } = await stat(file)
  assert.deepEqual(rest, {
    name: 'file',
    path: file,
    type: 'file',
    sizeBytes: 5,
    mode: 0o640,
    permissions: '-rw-r-----',
    modifiedAt: '2020-01-02T03:04:05.678Z',
  })
  assert.deepEqual([owner, group], ['root', 'root'])
})

test('special bits and kinds are shown as ls shows them', async () => {
  const at = await folder('kinds')
  const made: [name: string, command: string[], permissions: string, mode: number, type: string][] = [
    ['setuid', ['install', '-m', '4755', '/dev/null'], '-rwsr-xr-x', 0o4755, 'file'],
    ['setuid-only', ['install', '-m', '4644', '/dev/null'], '-rwSr--r--', 0o4644, 'file'],
    ['setgid', ['install', '-m', '2755', '/dev/null'], '-rwxr-sr-x', 0o2755, 'file'],
    ['sticky', ['mkdir', '-m', '1777'], 'drwxrwxrwt', 0o1777, 'directory'],
    ['fifo', ['mkfifo', '-m', '600'], 'prw-------', 0o600, 'other'],
    ['null', ['cp', '-a', '/dev/null'], 'crw-rw-rw-', 0o666, 'other'],
  ]
  for (const [name, [command = '', ...args], permissions, mode, type] of made) {
    await run(command, [...args, join(at, name)])
    const entry = await stat(join(at, name))
    assert.deepEqual([entry.permissions, entry.mode, entry.type], [permissions, mode, type], name)
    const { stdout } = await run('stat', ['-c', '%A', join(at, name)])
    assert.equal(entry.permissions, stdout.trim())
  }
})

test('a link is an entry of its own, also one that leads nowhere, and a folder behind one is listed', async () => {
  const at = await folder('links')
  await mkdir(join(at, 'folder'))
  await writeFile(join(at, 'folder', 'inside'), '')
  await symlink('folder', join(at, 'link'))
  await symlink('../no where', join(at, 'dangling'))
  await symlink('self', join(at, 'self'))
  const entries = await list(at)
  assert.deepEqual(
    entries.map(({ name, type, linkTarget }) => [name, type, linkTarget]),
    [
      ['dangling', 'symlink', '../no where'],
      ['folder', 'directory', undefined],
      ['link', 'symlink', 'folder'],
      ['self', 'symlink', 'self'],
    ],
  )
  assert.equal(entries[0]?.permissions, 'lrwxrwxrwx')
  assert.deepEqual(
    (await list(join(at, 'link'))).map(({ name }) => name),
    ['inside'],
  )
  await remove(join(at, 'link'))
  await remove(join(at, 'dangling'))
  assert.deepEqual(
    (await list(at)).map(({ name }) => name),
    ['folder', 'self'],
  )
  assert.equal((await list(join(at, 'folder'))).length, 1)
})

test('names are any, and what is no UTF-8 is shown with U+FFFD', async () => {
  const at = await folder('names')
  const names = ['a b', 'line\nbreak', 'ä🦜', '"quoted\\', "-rf '*'", 'x'.repeat(255)]
  for (const name of names) await writeFile(join(at, name), '')
  await writeFile(Buffer.concat([Buffer.from(`${at}/raw`), Buffer.from([0xff, 0xfe])]), '')
  const listed = (await list(at)).map(({ name }) => name)
  assert.deepEqual(listed.sort(), [...names, 'raw\uFFFD\uFFFD'].sort())
  for (const name of names) {
    assert.equal((await stat(join(at, name))).name, name)
    await move(join(at, name), join(at, `${name.slice(0, 250)}2`))
    await remove(join(at, `${name.slice(0, 250)}2`))
  }
  assert.equal((await list(at)).length, 1)
})

test('ten thousand entries come in order', async () => {
  const at = await folder('many')
  await run('sh', ['-c', `cd ${at} && seq -w 1 10000 | xargs touch`])
  const entries = await list(at)
  assert.equal(entries.length, 10_000)
  assert.equal(entries[4_999]?.name, '05000')
})

test('times that RFC 3339 cannot say are its last one', async () => {
  const at = await folder('times')
  // A filesystem that has them: the one of /tmp may not.
  await run('mount', ['-t', 'tmpfs', 'none', at])
  try {
    await run('touch', ['-d', '@999999999999', join(at, 'young')])
    assert.equal((await stat(join(at, 'young'))).modifiedAt, '9999-12-31T23:59:59.999Z')
  } finally {
    await run('umount', [at])
  }
})

test('a folder is made with those above it, and what is in the way is said', async () => {
  const at = await folder('made')
  const made = await make(join(at, 'a', 'b c'))
  assert.deepEqual([made.type, made.permissions], ['directory', 'drwxr-xr-x'])
  await writeFile(join(at, 'file'), '')
  await symlink('nowhere', join(at, 'dangling'))
  await refused('already_exists', /b c/, make(join(at, 'a', 'b c')))
  await refused('already_exists', /file/, make(join(at, 'file')))
  await refused('already_exists', /dangling/, make(join(at, 'dangling')))
  await refused('invalid_request', /file/, make(join(at, 'file', 'below')))
  await refused('invalid_request', /proc/, make('/proc/none/below'))
  await refused('invalid_request', /name too long/, make(join(at, 'x'.repeat(256))))
  await refused('invalid_request', /4096/, make(join(at, 'x/'.repeat(3_000))))
})

test('a move renames, and replaces nothing', async () => {
  const at = await folder('moves')
  await writeFile(join(at, 'a'), 'a')
  await writeFile(join(at, 'there'), 'there')
  await mkdir(join(at, 'folder'))
  assert.equal((await move(join(at, 'a'), join(at, 'new', 'b'))).path, join(at, 'new', 'b'))
  for (const there of ['there', 'folder', 'new'])
    await refused('already_exists', new RegExp(there), move(join(at, 'new', 'b'), join(at, there)))
  assert.equal(await readFile(join(at, 'there'), 'utf8'), 'there')
  await refused('not_found', /gone/, move(join(at, 'gone'), join(at, 'c')))
  await refused('invalid_request', /into itself/, move(join(at, 'new'), join(at, 'new', 'x', 'y')))
  assert.deepEqual(
    (await list(join(at, 'new'))).map(({ name }) => name),
    ['b'],
  )
})

test('a move to another filesystem takes all along, or nothing', async () => {
  const at = await folder('across')
  const other = await folder('other')
  await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', other])
  try {
    await mkdir(join(at, 'tree'))
    await writeFile(join(at, 'tree', 'tool'), 'x', { mode: 0o750 })
    await move(join(at, 'tree'), join(other, 'tree'))
    assert.equal((await lstat(join(other, 'tree', 'tool'))).mode & 0o777, 0o750)
    await refused('not_found', /tree/, stat(join(at, 'tree')))
    await writeFile(join(at, 'large'), Buffer.alloc(100_000))
    await refused('disk_full', /large/, move(join(at, 'large'), join(other, 'large')))
    assert.equal((await stat(join(at, 'large'))).sizeBytes, 100_000)
    await refused('already_exists', /tree/, move(join(at, 'large'), join(other, 'tree')))
    await refused('invalid_request', /mounted/, remove(other))
    await refused('invalid_request', /mounted/, remove(envd.folder))
    assert.deepEqual(
      (await list(other)).map(({ name }) => name),
      ['tree'],
    )
  } finally {
    await run('umount', [other])
  }
})

test('what is not there, or no folder, is told by its path', async () => {
  const at = await folder('refusals')
  await writeFile(join(at, 'file'), '')
  await refused('not_found', /no such/, stat(join(at, 'none')))
  await refused('not_found', /no such/, list(join(at, 'none')))
  await refused('not_found', /none/, remove(join(at, 'none')))
  await refused('not_found', /below/, stat(join(at, 'file', 'below')))
  await refused('not_found', /below/, remove(join(at, 'file', 'below')))
  await refused('invalid_request', /not a directory/, list(join(at, 'file')))
  await refused('invalid_request', /root folder/, remove('/'))
  await refused('invalid_request', /root folder/, remove('/tmp/..'))
})

test('a sample of the guest adds up', async () => {
  const sample = await readMetrics(envd.client, signal)
  assert.ok(Math.abs(sample.at.getTime() - Date.now()) < 60_000)
  assert.ok(sample.cpuCount >= 1)
  assert.ok(sample.cpuUsedPercent >= 0 && sample.cpuUsedPercent <= 100)
  assert.ok(sample.memoryUsedBytes > 0 && sample.memoryUsedBytes < sample.memoryTotalBytes)
  assert.ok(sample.diskUsedBytes > 0 && sample.diskUsedBytes < sample.diskTotalBytes)
})
