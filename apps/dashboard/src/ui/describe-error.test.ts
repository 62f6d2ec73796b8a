import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WrennError } from '@wrenn/sdk'
import { describeError, fieldError } from './describe-error.ts'

test('the server is quoted, with the request id; what it did not say is said for it', () => {
  const quoted = new WrennError('invalid_state', 'Sandbox is paused', { requestId: 'abc' })
  assert.deepEqual(describeError(quoted), { message: 'Sandbox is paused', requestId: 'abc' })
  const limited = new WrennError('rate_limited', 'x', { retryAfterSec: 42 })
  assert.match(describeError(limited).message, /42 s/)
  assert.match(
    describeError(new WrennError('network_error', 'GET http://…: fetch failed')).message,
    /does not answer/,
  )
  assert.equal(describeError(new Error('odd')).message, 'odd')
  assert.equal(describeError('text').message, 'text')
})

test('a refused field is named, and only that', () => {
  const of = (message: string, code = 'invalid_request'): unknown => fieldError(new WrennError(code, message))
  assert.deepEqual(of('password: must have at least 8 characters'), {
    field: 'password',
    message: 'Must have at least 8 characters',
  })
  assert.deepEqual(of('metadata.a: must be a string'), { field: 'metadata', message: 'Must be a string' })
  assert.deepEqual(of('metadata."a key: mine": must be a string'), {
    field: 'metadata',
    message: 'Must be a string',
  })
  assert.equal(of('A JSON body is required'), undefined)
  assert.equal(of('password: no', 'unauthorized'), undefined)
  assert.equal(fieldError(new Error('a: b')), undefined)
})
