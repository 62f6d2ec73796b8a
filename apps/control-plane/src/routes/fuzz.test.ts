// Requests made from the contract, valid ones and broken ones: whatever comes, the answer is one that the contract
// allows and no 5xx, and afterwards rows and agent agree. TEST_FUZZ_RUNS changes how many.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { pollUntil } from '@wrenn/base'
import { answerProblem, parseDocument, publicContract, type OperationDocument } from '@wrenn/contract'
import { textOf, type Account } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'
import { brokenValue, validValue } from '../../../../test/support/schema-values.ts'

const runs = Number(process.env['TEST_FUZZ_RUNS'] ?? 2_000)
const contract = publicContract()
const document = parseDocument(contract.text)

interface FuzzRequest {
  operation: OperationDocument
  method: string
  path: string
  headers: Record<string, string>
  body: string | undefined
}

describe('a fuzz run over the contract', () => {
  let platform: Platform
  let account: Account
  const sandboxIds: string[] = []

  before(async () => {
    platform = await createPlatform()
    account = await platform.api.account()
    for (let n = 0; n < 3; n += 1) sandboxIds.push((await platform.api.create(account)).id)
  })

  after(() => platform.remove())

  it(`of ${runs} requests gives no 5xx and nothing outside the contract, and leaves nothing behind`, async () => {
    const statuses = new Map<number, number>()
    const requests = fc.constantFrom(...document.operations).chain((operation) => requestOf(operation))
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const status = await send(request)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }),
      { numRuns: runs, endOnFailure: true },
    )
    for (const status of [200, 201, 204, 400, 401, 404, 405])
      assert.ok(statuses.has(status), `no ${status} among ${JSON.stringify([...statuses])}`)
    await platform.api.expect(200, 'health')
    await nothingLeft()
  })

  async function send({ operation, method, path, headers, body }: FuzzRequest): Promise<number> {
    const answer = await fetch(platform.api.url + path, {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    })
    const text = await textOf(answer)
    const contentType = answer.headers.get('content-type')
    const isJson = contentType?.startsWith('application/json') ?? false
    const parsed: unknown = isJson ? JSON.parse(text) : text
    assert.ok(answer.status < 500, `${answer.status} ${text}`)
    assert.ok(answer.headers.get('x-request-id'))
    // Parameters that are empty or dots make another path, which is none of ours or another operation's.
    if (/\/\/|\/\.{0,2}(\/|\?|$)/.test(path)) return answer.status
    if (method !== operation.method) {
      assert.equal(answer.status, 405)
      assert.ok(answer.headers.get('allow'))
      return answer.status
    }
    const received = { status: answer.status, contentType, body: parsed }
    assert.equal(answerProblem(contract, operation.id, received), undefined, text)
    return answer.status
  }

  function requestOf(operation: OperationDocument): fc.Arbitrary<FuzzRequest> {
    const of = (place: string) =>
      fc.record(
        Object.fromEntries(
          operation.parameters
            .filter((parameter) => parameter.in === place)
            .map(({ name, schema }) => {
              const odd = fc.string({ unit: 'grapheme' })
              // A query's object is given as name.KEY=VALUE.
              if (schema['type'] === 'object') return [`${name}.key`, odd]
              return [name, mostly(validValue(schema, document.schemas).map(String), odd)]
            }),
        ) as Record<string, fc.Arbitrary<string>>,
        place === 'path' ? {} : { requiredKeys: [] },
      )
    return fc
      .record({
        params: of('path'),
        id: mostly(fc.constantFrom(...sandboxIds), fc.constant(undefined)),
        query: of('query'),
        given: of('header'),
        credentials: mostly(
          fc.constantFrom({ 'x-api-key': account.apiKey }, { authorization: `Bearer ${account.token}` }),
          fc.constantFrom({}, { 'x-api-key': 'wrn_' }, { authorization: 'Bearer a.b.c' }),
        ),
        contentType: mostly(
          fc.constant('application/json'),
          fc.constantFrom('text/plain', 'multipart/form-data'),
        ),
        body: bodyOf(operation),
        method: mostly(fc.constant(operation.method), fc.constantFrom('PUT', 'PATCH')),
      })
      .map(({ params, id, query, given, credentials, contentType, body, method }) => ({
        operation,
        method,
        path: pathOf(operation, id === undefined ? params : { ...params, id }, query),
        headers: {
          ...credentials,
          ...Object.fromEntries(
            Object.entries(given).map(([name, value]) => [name, headerValue(value ?? '')]),
          ),
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        body: method === 'GET' ? undefined : body,
      }))
  }

  /** Every sandbox of the agent has a row in the same state, and no row is still pending. */
  async function nothingLeft(): Promise<void> {
    const agree = async (): Promise<true | undefined> => {
      const rows = await query<{ id: string; status: string }>(
        platform.databaseUrl,
        `select id, status from sandboxes where status <> 'stopped'`,
      )
      const atAgent = [...platform.agent.sandboxes.values()].map(({ id, status }) => `${id} ${status}`)
      const inRows = rows.map(({ id, status }) => `${id} ${status}`)
      return inRows.toSorted().join() === atAgent.toSorted().join() ? true : undefined
    }
    await pollUntil('rows and agent agree', agree, { timeoutMs: 10_000 })
  }
})

function bodyOf(operation: OperationDocument): fc.Arbitrary<string | undefined> {
  const schema = operation.body?.content['application/json']
  if (!schema) return fc.option(fc.string(), { nil: undefined, freq: 3 })
  const { schemas } = document
  return fc.oneof(
    { weight: 6, arbitrary: validValue(schema, schemas).map((value) => JSON.stringify(value)) },
    { weight: 4, arbitrary: brokenValue(schema, schemas).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.constant(undefined) },
  )
}

function pathOf(
  { path }: OperationDocument,
  params: Partial<Record<string, string>>,
  query: Partial<Record<string, string>>,
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => encode(params[name] ?? ''))
  const search = Object.entries(query).map(([name, value]) => `${name}=${encode(value ?? '')}`)
  return search.length === 0 ? filled : `${filled}?${search.join('&')}`
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

/** What fetch lets into a header. */
function headerValue(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}

function mostly<A, B>(usual: fc.Arbitrary<A>, odd: fc.Arbitrary<B>): fc.Arbitrary<A | B> {
  return fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: odd })
}
