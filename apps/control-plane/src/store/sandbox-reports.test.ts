import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { createLogger, newId, type SandboxId } from '@wrenn/base'
import { createPostgres, query, type TestPostgres } from '../../../../test/support/postgres.ts'
import { openDatabase, type Database } from './database.ts'
import { migrate } from './migrate.ts'
import { sandboxApply, type SandboxReport } from './sandbox-reports.ts'

const statuses = ['running', 'paused', 'error'] as const

describe('reports of a sandbox', () => {
  let postgres: TestPostgres
  let url: string
  let db: Database

  before(async () => {
    postgres = await createPostgres()
    url = await postgres.database()
    await migrate(url)
    await query(
      url,
      `insert into teams (id, name) values ('team-a', 'a'); insert into hosts (id, instance_id) values ('host-a', 'a')`,
    )
    db = openDatabase(url, createLogger('test', 'silent'))
  })

  after(async () => {
    await db?.destroy()
    await postgres?.remove()
  })

  async function sandbox(status: string): Promise<SandboxId> {
    const id = newId('sb')
    await query(
      url,
      `insert into sandboxes (id, team_id, host_id, status, template, vcpus, memory_mb, timeout_sec, generation)
       values ('${id}', 'team-a', 'host-a', '${status}', 'minimal', 1, 128, 0, 1)`,
    )
    return id
  }

  function report(id: SandboxId, generation: number, status: SandboxReport['status']): SandboxReport {
    const address = status === 'running' ? `10.0.0.${generation}` : null
    return { id, generation, status, reason: `as of ${generation}`, guestIp: address, hostIp: address }
  }

  it('may be applied in any order, also at once: the newest stands', async () => {
    const order = fc
      .shuffledSubarray([2, 3, 4, 5, 6, 7], { minLength: 1 })
      .chain((generations) =>
        fc.tuple(...generations.map((n) => fc.tuple(fc.constant(n), fc.constantFrom(...statuses)))),
      )
    const anyOrder = fc.asyncProperty(order, fc.boolean(), async (given, atOnce) => {
      const id = await sandbox('running')
      const reports = given.map(([generation, status]) => report(id, generation, status))
      if (atOnce) await Promise.all(reports.map((one) => sandboxApply(db, one)))
      else for (const one of reports) await sandboxApply(db, one)
      const newest = reports.toSorted((a, b) => b.generation - a.generation)[0]
      const [row] = await query<Record<string, unknown>>(
        url,
        `select id, generation::int, status, status_reason as reason, guest_ip as "guestIp", host_ip as "hostIp",
           paused_at is not null as paused from sandboxes where id = '${id}'`,
      )
      assert.deepEqual(row, { ...newest, paused: newest?.status === 'paused' })
    })
    await fc.assert(anyOrder, { numRuns: 60 })
  })

  it('change nothing when they are applied again, nor of what is stopped or not made yet', async () => {
    const id = await sandbox('running')
    assert.equal((await sandboxApply(db, report(id, 2, 'paused')))?.status, 'paused')
    assert.equal(await sandboxApply(db, report(id, 2, 'paused')), undefined)
    const stopped = await sandbox('stopped')
    assert.equal(await sandboxApply(db, report(stopped, 9, 'running')), undefined)
    assert.equal(await sandboxApply(db, report(newId('sb'), 9, 'running')), undefined)
  })
})
