import assert from 'node:assert/strict'
import { test } from 'node:test'
import { debianSource } from './debian.ts'

const keyring = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'

test('a configured mirror is used alone, for the suite that guests have', async () => {
  assert.deepEqual(await debianSource({ WRENN_DEBIAN_MIRROR: 'http://mirror.test/debian' }), {
    suite: 'bookworm',
    lines: [`deb ${keyring} http://mirror.test/debian bookworm main`],
  })
})

test('a configured suite is taken from the configured mirror', async () => {
  const environment = { WRENN_DEBIAN_MIRROR: 'http://mirror.test/debian', WRENN_DEBIAN_SUITE: 'trixie' }
  assert.deepEqual(await debianSource(environment), {
    suite: 'trixie',
    lines: [`deb ${keyring} http://mirror.test/debian trixie main`],
  })
})

test('empty settings count as not set', async () => {
  const environment = { WRENN_DEBIAN_MIRROR: 'http://mirror.test/debian', WRENN_DEBIAN_SUITE: '' }
  assert.equal((await debianSource(environment)).suite, 'bookworm')
})

test("without a mirror those of the machine's own apt are used, security updates included", async () => {
  const { suite, lines } = await debianSource({ WRENN_DEBIAN_SUITE: 'bookworm' })
  assert.equal(suite, 'bookworm')
  assert.match(lines[0] ?? '', /^deb \[signed-by=\S+\] \S+:\/\/\S+ bookworm main$/)
  for (const line of lines.slice(1))
    assert.match(line, /^deb \[signed-by=\S+\] \S+:\/\/\S+ bookworm-security main$/)
})
