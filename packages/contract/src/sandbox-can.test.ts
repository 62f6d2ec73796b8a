import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { PublicSchemas } from './api.ts'
import { sandboxCan, whySandboxCannot, type SandboxStatus } from './sandbox-can.ts'

// Neither type may have a state that the other lacks.
type Same<A, B> = [A, B] extends [B, A] ? true : never
const statesAreTheContracts: Same<SandboxStatus, PublicSchemas['Sandbox']['status']> = true

test('a refusal says which state an action needs', () => {
  assert.ok(statesAreTheContracts)
  assert.equal(whySandboxCannot('exec', 'running'), undefined)
  assert.equal(whySandboxCannot('exec', 'paused'), 'Sandbox is paused; exec needs it running')
  assert.equal(
    whySandboxCannot('snapshot', 'error', 'Sandbox sb-1'),
    'Sandbox sb-1 is error; snapshot needs it running or paused',
  )
  assert.equal(
    whySandboxCannot('destroy', 'stopped'),
    'Sandbox is stopped; destroy needs it pending, running, paused or error',
  )
})

test('only what is there in some state can be done', () => {
  for (const [action, legal] of Object.entries(sandboxCan)) {
    assert.ok(legal.length > 0, action)
    assert.ok(!(legal as readonly string[]).includes('stopped'), action)
  }
})

test('a browser can load the table', async () => {
  const source = await readFile(new URL('sandbox-can.ts', import.meta.url), 'utf8')
  assert.doesNotMatch(source, /^import/m)
})
