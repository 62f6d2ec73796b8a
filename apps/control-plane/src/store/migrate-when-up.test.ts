import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrateWhenUp } from './migrate-when-up.ts'

test('a database that stays away is named, with the reason, once the time is over', async () => {
  for (const host of ['127.0.0.1', 'localhost']) {
    await assert.rejects(migrateWhenUp(`postgres://wrenn@${host}:1/wrenn`, 300), (error) => {
      assert.ok(error instanceof Error)
      assert.match(
        error.message,
        // A bare machine may not even know localhost.
        /^DATABASE_URL: the database did not answer within 0\.3 s: (connect ECONNREFUSED \S+|getaddrinfo ENOTFOUND localhost)/,
      )
      return true
    })
  }
  const folder = 'postgres://wrenn@/wrenn?host=/nowhere'
  await assert.rejects(migrateWhenUp(folder, 300), /ENOENT \/nowhere\/\.s\.PGSQL\.5432/)
})

test('a URL that is none fails at once', async () => {
  await assert.rejects(migrateWhenUp('postgres://[bad', 60_000), {
    name: 'StartError',
    message: /^DATABASE_URL: /,
  })
})
