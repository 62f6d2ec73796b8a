// The table that all buttons read: what it allows is what the contract's table allows, and while something is under way.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sandboxCan, type SandboxStatus } from '@wrenn/contract/sandbox-can'
import { actionWords, callOf, userActions, whyNot } from './actions.ts'

const statuses: readonly SandboxStatus[] = ['pending', 'running', 'paused', 'stopped', 'error']

test('an action is possible in the states in which the server takes it, and says why in all others', () => {
  for (const action of userActions) {
    for (const status of statuses) {
      const legal: readonly SandboxStatus[] = sandboxCan[action]
      const reason = whyNot(action, { status, timeout_sec: 60 })
      if (legal.includes(status)) assert.equal(reason, undefined, `${action} ${status}`)
      else assert.match(reason ?? '', new RegExp(`^The sandbox is ${status}; `))
    }
  }
})

test('while something is under way only a destroy is possible, and not beside a snapshot or another destroy', () => {
  for (const pending of userActions) {
    for (const action of userActions) {
      const reason = whyNot(action, { status: 'running', timeout_sec: 60 }, pending)
      const isPossible = action === 'destroy' && pending !== 'destroy' && pending !== 'snapshot'
      assert.equal(
        reason,
        isPossible ? undefined : `The sandbox is ${actionWords[pending].passive}`,
        `${action} during ${pending}`,
      )
    }
  }
})

test('what never times out is not kept alive', () => {
  assert.match(whyNot('ping', { status: 'running', timeout_sec: 0 }) ?? '', /no timeout/)
  assert.match(whyNot('ping', { status: 'paused', timeout_sec: 0 }) ?? '', /is paused/)
})

test('each action is one call of the API', () => {
  assert.deepEqual(
    userActions.map((action) => callOf(action, 'sb-1')),
    [
      { method: 'POST', path: '/v1/sandboxes/sb-1/pause' },
      { method: 'POST', path: '/v1/sandboxes/sb-1/resume' },
      { method: 'POST', path: '/v1/sandboxes/sb-1/ping' },
      { method: 'POST', path: '/v1/snapshots', json: { sandbox_id: 'sb-1' } },
      { method: 'DELETE', path: '/v1/sandboxes/sb-1' },
    ],
  )
})
