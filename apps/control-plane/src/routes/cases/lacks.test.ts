import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDocument } from '@wrenn/contract'
import { lacks } from './lacks.ts'

const { operations } = parseDocument(`
openapi: "3.1.0"
paths:
  /open:
    get: {operationId: open, responses: {"200": {}, "404": {}, "500": {}}}
  /guarded:
    post: {operationId: guarded, security: [{apiKeyAuth: []}], responses: {"201": {}, "401": {}, "500": {}}}
    delete: {operationId: careless, security: [{apiKeyAuth: []}], responses: {"204": {}}}
`)

const all = {
  open: { answers: { 200: 1, 404: 1 } },
  guarded: { foreign: 'not_found', answers: { 201: 1, 401: 1 } },
  careless: { foreign: 'not_found', answers: { 204: 1 } },
}

test('one case for each documented status but 500, and one for other teams, is enough', () => {
  assert.deepEqual(lacks(operations, all), ['careless: asks for credentials and documents no 401'])
})

test('a new operation, a new status, a lost word on other teams and a case of nothing are each found', () => {
  const cases = {
    guarded: { answers: { 201: 1, 402: 1 } },
    careless: all.careless,
    gone: { answers: {} },
  }
  assert.deepEqual(lacks(operations, cases), [
    'open: no case for 200',
    'open: no case for 404',
    'guarded: no case for 401',
    'guarded: a case for 402, which the contract does not name',
    'guarded: no word on what another team gets',
    'careless: asks for credentials and documents no 401',
    'gone: cases for what is not served',
  ])
})
