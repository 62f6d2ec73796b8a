// The file tree of a real VM, through the SDK: list, stat, mkdir, move, remove and watch, on its overlay of disk and
// template; and how busy it is. What envd answers in each corner is in apps/host-agent/src/guest/filesystem.test.ts.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { Wrenn, type FileEntry, type FileWatchEvent } from '@wrenn/sdk'
import { TestPlatform } from '../support/real-platform.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User
let wrenn: Wrenn
let id: string

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
  wrenn = new Wrenn({ baseUrl: platform.url, apiKey: user.key })
  id = (await user.create()).id
})

after(() => platform?.remove())

const list = (path: string): Promise<FileEntry[]> => wrenn.sandboxes.files.list(id, path)
const stat = (path: string): Promise<FileEntry> => wrenn.sandboxes.files.stat(id, path)
const mkdir = (path: string): Promise<FileEntry> => wrenn.sandboxes.files.mkdir(id, path)
const move = (from: string, to: string): Promise<FileEntry> => wrenn.sandboxes.files.move(id, from, to)
const remove = (path: string): Promise<void> => wrenn.sandboxes.files.remove(id, path)
const namesIn = async (path: string): Promise<string[]> => (await list(path)).map(({ name }) => name)

test('the root has what the template has, and each entry is what ls says', async () => {
  const root = await list('/')
  const etc = root.find(({ name }) => name === 'etc')
  assert.deepEqual(
    [etc?.path, etc?.type, etc?.permissions, etc?.owner],
    ['/etc', 'directory', 'drwxr-xr-x', 'root'],
  )
  const lines = await user.sh(id, `stat -c '%n %A %s %U %G %Y' /etc/passwd /tmp /usr/bin/su /dev/null /bin`)
  for (const line of lines.split('\n')) {
    const [path = '', permissions, size, owner, group, seconds] = line.split(' ')
    const entry = await stat(path)
    assert.deepEqual(
      [entry.permissions, String(entry.size), entry.owner, entry.group],
      [permissions, size, owner, group],
    )
    assert.equal(Math.floor(Date.parse(entry.modified_at) / 1_000), Number(seconds))
  }
  assert.equal((await stat('/proc/self')).type, 'symlink')
})

test('a folder is made, filled, renamed, moved and removed, under any name', async () => {
  const names = [
    'with space',
    'two\nlines',
    'ä🦜',
    '-rf *',
    '"\'\\$HOME`id`',
    '?a=b&c#d%2F+',
    'x'.repeat(255),
  ]
  for (const name of names) {
    assert.equal((await mkdir(`/root/made/${name}/below`)).name, 'below')
    await wrenn.sandboxes.files.write(id, `/root/made/${name}/file`, name)
    await move(`/root/made/${name}`, `/root/moved/${name}`)
    assert.deepEqual(await namesIn(`/root/moved/${name}`), ['below', 'file'])
    const content = await wrenn.sandboxes.files.read(id, `/root/moved/${name}/file`)
    assert.equal(Buffer.from(content).toString(), name)
  }
  assert.deepEqual((await namesIn('/root/moved')).sort(), names.sort())
  assert.deepEqual(await namesIn('/root/made'), [])
  await remove('/root/moved')
  await assert.rejects(list('/root/moved'), { code: 'not_found', message: /\/root\/moved/ })
})

test('a folder with thousands of entries, and a name that is no UTF-8', async () => {
  const fill = `mkdir /root/many && cd /root/many && seq -w 1 2000 | xargs touch && touch "$(printf 'raw\\377')"`
  await user.sh(id, fill)
  const names = await namesIn('/root/many')
  assert.deepEqual([names.length, names[0], names[1_999], names[2_000]], [2_001, '0001', '2000', 'raw\uFFFD'])
  await remove('/root/many')
})

test('what the template has can be moved and removed, too, and to another filesystem', async () => {
  const listed = `cd /etc/ssl && find . -printf '%p %M %u %g %l\\n' | sort`
  const all = `(${listed}; find . -type f | sort | xargs cat) | sha256sum`
  const before = await user.sh(id, all)
  await move('/etc/ssl', '/dev/shm/ssl')
  await assert.rejects(stat('/etc/ssl'), { code: 'not_found' })
  await move('/dev/shm/ssl', '/etc/ssl')
  assert.equal(await user.sh(id, all), before)
  await remove('/etc/ssl')
  await assert.rejects(stat('/etc/ssl'), { code: 'not_found' })
})

test('what cannot be is refused by its code, and changes nothing', async () => {
  await user.sh(id, 'mkdir -p /root/r/folder && cd /root/r && echo a > file && ln -s nowhere dangling')
  await assert.rejects(list('/root/r/file'), { code: 'invalid_request', status: 400 })
  await assert.rejects(list('/root/r/none'), { code: 'not_found', message: /none/ })
  await assert.rejects(mkdir('/root/r/folder'), { code: 'already_exists', status: 409 })
  await assert.rejects(mkdir('/root/r/file'), { code: 'already_exists', status: 409 })
  await assert.rejects(mkdir('/root/r/file/below'), { code: 'invalid_request' })
  await assert.rejects(mkdir('/proc/below'), { code: 'invalid_request' })
  await assert.rejects(move('/root/r/file', '/root/r/folder'), { code: 'already_exists', status: 409 })
  await assert.rejects(move('/root/r/file', '/root/r/dangling'), { code: 'already_exists' })
  await assert.rejects(move('/root/r', '/root/r/folder/r'), { code: 'invalid_request' })
  await assert.rejects(move('/root/r/none', '/root/r/b'), { code: 'not_found', message: /none/ })
  await assert.rejects(remove('/root/r/none'), { code: 'not_found', message: /none/ })
  for (const held of ['/', '/proc', '/dev'])
    await assert.rejects(remove(held), { code: 'invalid_request', status: 400 })
  await assert.rejects(move('/proc', '/root/proc'), { code: 'invalid_request' })
  assert.deepEqual(await namesIn('/root/r'), ['dangling', 'file', 'folder'])
  await remove('/root/r/dangling')
  assert.deepEqual(await namesIn('/root/r'), ['file', 'folder'])
})

test('a full disk is told, and nothing half done stays', async () => {
  await user.sh(id, 'mkdir /mnt/small && mount -t tmpfs -o size=64k,nr_inodes=5 none /mnt/small')
  await user.sh(id, 'head -c 200000 /dev/zero > /root/large')
  await assert.rejects(move('/root/large', '/mnt/small/large'), { code: 'disk_full', status: 507 })
  assert.deepEqual([await namesIn('/mnt/small'), (await stat('/root/large')).size], [[], 200_000])
  await assert.rejects(mkdir('/mnt/small/1/2/3/4/5/6'), { code: 'disk_full', status: 507 })
  await user.sh(id, 'umount /mnt/small')
})

test('changes are told as they happen, until the folder or the VM is gone', async () => {
  await user.sh(id, 'mkdir -p /root/watched/below')
  const told: FileWatchEvent[] = []
  let ended = false
  const follow = async (path: string): Promise<void> => {
    for await (const event of wrenn.sandboxes.files.watch(id, path, { recursive: true })) told.push(event)
    ended = true
  }
  const tells = (wanted: FileWatchEvent): Promise<true> =>
    pollUntil(
      `${JSON.stringify(wanted)} is told`,
      () => told.some((event) => JSON.stringify(event) === JSON.stringify(wanted)) || undefined,
      { timeoutMs: 20_000 },
    )
  const ends = (): Promise<true> => pollUntil('it ends', () => ended || undefined, { timeoutMs: 30_000 })

  let following = follow('/root/watched')
  await tells({ type: 'ready' })
  await wrenn.sandboxes.files.write(id, '/root/watched/below/new file', 'text')
  await tells({ type: 'change', change: { type: 'create', path: '/root/watched/below/new file' } })
  await move('/root/watched/below/new file', '/root/watched/other')
  await tells({ type: 'change', change: { type: 'rename', path: '/root/watched/below/new file' } })
  await tells({ type: 'change', change: { type: 'create', path: '/root/watched/other' } })
  await remove('/root/watched')
  await ends()
  await following

  told.length = 0
  ended = false
  await mkdir('/root/watched')
  following = follow('/root/watched')
  await tells({ type: 'ready' })
  await wrenn.sandboxes.pause(id)
  await ends()
  await following
  await assert.rejects(list('/root'), { code: 'invalid_state', status: 409 })
  await assert.rejects(wrenn.sandboxes.files.watch(id, '/root').next(), { code: 'invalid_state' })
  await assert.rejects(wrenn.sandboxes.metrics(id), { code: 'invalid_state' })
  await wrenn.sandboxes.resume(id)
  assert.ok((await namesIn('/root')).includes('watched'))
})

test('metrics are those of the guest', async () => {
  const idle = await wrenn.sandboxes.metrics(id)
  assert.equal(idle.cpu_count, 1)
  assert.ok(Math.abs(Date.parse(idle.at) - Date.now()) < 10_000)
  assert.ok(idle.memory_total_bytes > 100_000_000 && idle.memory_used_bytes < idle.memory_total_bytes)
  const write = 'head -c 20000000 /dev/zero >'
  await user.sh(id, `${write} /root/twenty; ${write} /dev/shm/twenty; sync`)
  await user.sh(id, 'nohup timeout 60 sh -c "while :; do :; done" > /dev/null 2>&1 &')
  const busy = await pollUntil(
    'the load shows',
    async () => {
      const sample = await wrenn.sandboxes.metrics(id)
      return sample.cpu_used_percent > 50 ? sample : undefined
    },
    { timeoutMs: 20_000, intervalMs: 500 },
  )
  assert.ok(busy.cpu_used_percent <= 100)
  assert.ok(busy.disk_used_bytes - idle.disk_used_bytes >= 20_000_000)
  assert.ok(busy.memory_used_bytes - idle.memory_used_bytes >= 15_000_000)
})
