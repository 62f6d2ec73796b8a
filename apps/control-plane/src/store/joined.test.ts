import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joined } from './joined.ts'
import type { Database } from './database.ts'

/** A database whose queries end when the test says so. */
function controlled() {
  const queries: { keys: string[]; answer: PromiseWithResolvers<ReadonlyMap<string, string>> }[] = []
  const load = joined<string>((_db, keys) => {
    const answer = Promise.withResolvers<ReadonlyMap<string, string>>()
    queries.push({ keys, answer })
    return answer.promise
  })
  const db = {} as Database
  const end = (index: number): void => {
    const query = queries[index]
    query?.answer.resolve(
      new Map(query.keys.filter((key) => key !== 'none').map((key) => [key, `row ${key}`])),
    )
  }
  return { queries, end, load: (key: string) => load(db, key), loadFrom: load }
}

/** The end of this turn of the event loop, when lookups are asked for. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('lookups of one turn share a query; those that come meanwhile share one that starts after it', async () => {
  const { queries, end, load } = controlled()
  const first = load('a')
  assert.equal(queries.length, 0)
  await turn()
  assert.deepEqual(queries[0]?.keys, ['a'])
  const later = [load('a'), load('b'), load('none'), load('b')]
  assert.equal(queries.length, 1)
  end(0)
  assert.equal(await first, 'row a')
  // Also the key that was asked for before: a row may be gone since.
  assert.deepEqual(queries[1]?.keys, ['a', 'b', 'none'])
  end(1)
  assert.deepEqual(await Promise.all(later), ['row a', 'row b', undefined, 'row b'])
  void load('c')
  await turn()
  assert.deepEqual(queries[2]?.keys, ['c'])
  end(2)
})

test('a query that fails fails those that share it, and no others', async () => {
  const { queries, end, load } = controlled()
  const shared = load('a')
  await turn()
  const next = load('a')
  queries[0]?.answer.reject(new Error('the connection is gone'))
  await assert.rejects(shared, /connection is gone/)
  end(1)
  assert.equal(await next, 'row a')
})

test('a query that hangs holds up nobody else', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { queries, end, load } = controlled()
  const hanging = load('a')
  await turn()
  const next = load('b')
  context.mock.timers.tick(200)
  end(1)
  assert.equal(await next, 'row b')
  const after = load('c')
  await turn()
  end(2)
  assert.equal(await after, 'row c')
  // Its late end starts nothing beside a query that is under way.
  const last = load('d')
  await turn()
  const waiting = load('e')
  end(0)
  assert.equal(await hanging, 'row a')
  assert.deepEqual(
    queries.slice(3).map(({ keys }) => keys),
    [['d']],
  )
  end(3)
  await last
  end(4)
  assert.equal(await waiting, 'row e')
})

test('another database has its own queries', async () => {
  const { queries, end, loadFrom } = controlled()
  const [one, other] = [{} as Database, {} as Database]
  const both = [loadFrom(one, 'a'), loadFrom(other, 'a')]
  await turn()
  assert.equal(queries.length, 2)
  end(0)
  end(1)
  assert.deepEqual(await Promise.all(both), ['row a', 'row a'])
})
