import assert from 'node:assert/strict'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { instanceId } from '@wrenn/base'
import { hostId } from './host-id.ts'

test('a host is the same after its data folder has moved', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wrenn-host-'))
  const moved = `${folder}-moved`
  try {
    const id = await hostId(folder)
    assert.equal(id, instanceId(folder))
    await rename(folder, moved)
    assert.equal(await hostId(moved), id)
    assert.notEqual(instanceId(moved), id)
  } finally {
    for (const path of [folder, moved]) await rm(path, { recursive: true, force: true })
  }
})
