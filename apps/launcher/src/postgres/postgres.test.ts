import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { Client } from 'pg'
import { pollUntil, signalProcess } from '@wrenn/base'
import { clusterProcesses } from './leftovers.ts'
import { Cluster, startPostgres, type RunningPostgres } from './index.ts'

const cacheDir = process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn'
const startModule = new URL('start.ts', import.meta.url).href
const clusterModule = new URL('cluster.ts', import.meta.url).href

describe('the embedded Postgres', () => {
  let root: string
  const started: RunningPostgres[] = []

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'wrenn postgres '))
    await chmod(root, 0o711)
  })

  afterEach(async () => {
    await Promise.all(started.splice(0).map((postgres) => postgres.stop()))
  })

  after(async () => {
    await rm(root, { recursive: true })
  })

  async function start(name: string, fsync = false): Promise<RunningPostgres> {
    const postgres = await startPostgres({ cacheDir, folder: join(root, name), fsync })
    started.push(postgres)
    return postgres
  }

  it('keeps its data over a stop, in a folder with a space, and leaves no process', async () => {
    const first = await start('plain')
    await query(first.url, "create table t as select 'für' as word")
    await first.stop()
    assert.deepEqual(clusterProcesses(join(root, 'plain/data')), [])
    assert.ok(!existsSync(join(root, 'plain/postgres.pid')))
    const second = await start('plain')
    assert.deepEqual(await query(second.url, 'select upper(word) as word from t'), [{ word: 'FÜR' }])
  })

  it('heals a kill -9 of the postmaster without losing what was committed', async () => {
    const postgres = await start('killed', true)
    await query(postgres.url, 'create table t as select 42 as answer')
    const busy = query(postgres.url, 'select pg_sleep(600)').catch(() => 'broken off')
    const killed = postgres.ref
    assert.ok(killed)
    signalProcess(killed, 'SIGKILL')
    const rows = await pollUntil(
      'Postgres answers again',
      () => query(postgres.url, 'select answer from t'),
      {
        timeoutMs: 20_000,
      },
    )
    assert.deepEqual(rows, [{ answer: 42 }])
    assert.equal(await busy, 'broken off')
    assert.notEqual(postgres.ref?.pid, killed.pid)
  })

  it('makes the cluster again when initdb was interrupted', async () => {
    const folder = join(root, 'interrupted')
    const owner = spawnScript(
      `const { Cluster } = await import(${JSON.stringify(clusterModule)})
       await Cluster.prepare(${JSON.stringify({ cacheDir, folder })})`,
    )
    const half = join(folder, 'data.new', 'base')
    await pollUntil('initdb is half-way', () => existsSync(half) || undefined, {
      timeoutMs: 20_000,
      intervalMs: 2,
    })
    await killed(owner)
    assert.ok(!existsSync(join(folder, 'data')))
    const postgres = await start('interrupted')
    assert.deepEqual(await query(postgres.url, 'select 1 as one'), [{ one: 1 }])
    assert.ok(!existsSync(join(folder, 'data.new')))
  })

  it('runs two clusters side by side', async () => {
    const [left, right] = await Promise.all([start('left'), start('right')])
    await query(left.url, 'create table only_left ()')
    await assert.rejects(query(right.url, 'select from only_left'), /does not exist/)
  })

  it('is not stopped by a pid file whose pid belongs to another cluster now', async () => {
    const other = await start('other')
    await (await start('stale')).stop()
    const { pid } = other.ref ?? {}
    await writeFile(join(root, 'stale/data/postmaster.pid'), `${pid}\n${root}/stale/data\n0\n5432\n`)
    await writeFile(join(root, 'stale/socket/.s.PGSQL.5432.lock'), `${pid}\n`)
    const postgres = await start('stale')
    assert.deepEqual(await query(postgres.url, 'select 1 as one'), [{ one: 1 }])
    assert.deepEqual(await query(other.url, 'select 1 as one'), [{ one: 1 }])
  })

  it('takes over from a postmaster whose launcher was killed', async () => {
    const folder = join(root, 'orphaned')
    const owner = spawnScript(
      `const { Cluster } = await import(${JSON.stringify(clusterModule)})
       const { postgresSpec } = await import(${JSON.stringify(startModule)})
       const { spawn } = await import('node:child_process')
       const [command, ...args] = (await Cluster.prepare(${JSON.stringify({ cacheDir, folder })})).serverCommand()
       spawn(command, args, { detached: true, stdio: 'ignore' })`,
    )
    const pidFile = join(folder, 'data/postmaster.pid')
    await pollUntil(
      'the orphan serves',
      () => (existsSync(pidFile) && readFileSync(pidFile, 'utf8').includes('ready')) || undefined,
      { timeoutMs: 20_000 },
    )
    await killed(owner)
    const orphans = clusterProcesses(join(folder, 'data')).map((ref) => ref.pid)
    assert.ok(orphans.length > 0)
    const postgres = await start('orphaned')
    assert.deepEqual(await query(postgres.url, 'select 1 as one'), [{ one: 1 }])
    const now = clusterProcesses(join(folder, 'data')).map((ref) => ref.pid)
    assert.deepEqual(
      now.filter((pid) => orphans.includes(pid)),
      [],
    )
  })

  it('ends with the test that started it, however that ends', async () => {
    const folder = join(root, 'abandoned')
    const owner = spawnScript(
      `const { startPostgres } = await import(${JSON.stringify(startModule)})
       await startPostgres(${JSON.stringify({ cacheDir, folder, fsync: false })})
       setInterval(() => {}, 1000)`,
    )
    await pollUntil('it runs', () => clusterProcesses(join(folder, 'data')).length > 0 || undefined, {
      timeoutMs: 20_000,
    })
    await killed(owner)
    await pollUntil('it is gone', () => clusterProcesses(join(folder, 'data')).length === 0 || undefined, {
      timeoutMs: 20_000,
    })
  })

  it('says in one line that the data are of another major version', async () => {
    await mkdir(join(root, 'old/data'), { recursive: true })
    await writeFile(join(root, 'old/data/PG_VERSION'), '15\n')
    await assert.rejects(
      Cluster.prepare({ cacheDir, folder: join(root, 'old') }),
      /was made by Postgres 15, but this Wrenn brings Postgres 18/,
    )
  })

  it('says which folder its user cannot enter', async () => {
    await mkdir(join(root, 'closed'), { mode: 0o700 })
    await assert.rejects(
      Cluster.prepare({ cacheDir, folder: join(root, 'closed/postgres') }),
      /cannot enter .*\/closed: chmod o\+x/,
    )
  })
})

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query(sql)).rows as unknown[]
  } finally {
    await client.end().catch(() => undefined)
  }
}

function spawnScript(script: string): ReturnType<typeof spawn> {
  return spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function killed(child: ReturnType<typeof spawn>): Promise<void> {
  const exited = new Promise((resolve) => child.on('exit', resolve))
  if (child.exitCode !== null) return
  child.kill('SIGKILL')
  await exited
}
