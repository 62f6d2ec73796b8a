import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as fc from 'fast-check'
import { answerProblem } from './check-answer.ts'
import { hostAgentContract, loadContract, publicContract } from './contract.ts'
import { parseDocument } from './document.ts'
import { isEmail, normalizeEmail } from './formats.ts'

const contract = publicContract()

function bodyProblem(id: string, body: unknown): string | undefined {
  return contract.operations.get(id)?.validate.body?.(body)
}

test('every schema is one by JSON Schema 2020-12', () => {
  const ajv = new Ajv2020()
  const isSchema = (schema: object): void =>
    assert.ok(ajv.validateSchema(schema), `${JSON.stringify(schema)}: ${ajv.errorsText()}`)
  for (const { text } of [contract, hostAgentContract()]) {
    const { schemas, operations } = parseDocument(text)
    const bodies = operations.flatMap(({ body, responses }) => [body?.content ?? {}, ...responses.values()])
    const parameters = operations.flatMap((operation) => operation.parameters)
    const all = [
      ...Object.values(schemas),
      ...bodies.flatMap((content) => Object.values(content)),
      ...parameters.map(({ schema }) => schema),
    ]
    assert.ok(all.length > 100)
    for (const schema of all) isSchema(schema)
  }
  assert.throws(() => isSchema({ type: 'text' }))
})

test('defaults are filled in and nothing else is changed', () => {
  const body = { vcpus: 2 }
  assert.equal(bodyProblem('createSandbox', body), undefined)
  assert.deepEqual(body, {
    template: 'minimal',
    vcpus: 2,
    memory_mb: 512,
    timeout_sec: 0,
    on_timeout: 'pause',
  })
})

test('no JSON type is coerced', () => {
  for (const value of ['1', true, null, [1], { a: 1 }]) {
    assert.equal(bodyProblem('createSandbox', { vcpus: value }), 'vcpus: must be an integer')
  }
  for (const value of [1, true, null, ['a']]) {
    assert.equal(bodyProblem('execCommand', { cmd: value }), 'cmd: must be a string')
  }
})

test('a message begins with the field, whatever the body', () => {
  const fields = fc.constantFrom('template', 'vcpus', 'memory_mb', 'timeout_sec', 'other')
  const bodies = fc.oneof(fc.jsonValue(), fc.dictionary(fields, fc.jsonValue()))
  fc.assert(
    fc.property(bodies, (body) => {
      const problem = bodyProblem('createSandbox', body)
      return problem === undefined || /^(body|[\w-]+|".*"|, |\.|\[\d+\])+: \S/.test(problem)
    }),
  )
})

test('unknown fields are named, five at most, and shortened', () => {
  const body = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`${at}${'x'.repeat(200)}`, 1]))
  const problem = bodyProblem('execCommand', { cmd: 'a', ...body }) ?? ''
  assert.match(problem, /^0x+, 1x+, 2x+, 3x+, 4x+: unknown fields; known are cmd, args/)
  assert.ok(problem.length < 600)
})

test('query parameters that the contract does not know are ignored', () => {
  const validate = contract.operations.get('listSnapshots')?.validate.query
  assert.equal(validate?.({ other: 'x' }), undefined)
  assert.equal(validate?.({ type: 'x' }), 'type: must be one of "base", "snapshot"')
})

test('e-mail addresses', () => {
  for (const good of ['a@b.co', 'A.B+c@x-y.example.org', ' a@b.co ', "o'hara@b.co"])
    assert.ok(isEmail(good), good)
  const bad = [
    '',
    'a',
    'a@',
    '@b.co',
    'a@b',
    'a b@c.de',
    'a@b..co',
    'a@-b.co',
    'a@b.co\u0000',
    'a@b.co, c@d.co',
  ]
  for (const text of bad) assert.ok(!isEmail(text), text)
  assert.ok(isEmail(`${'a'.repeat(249)}@b.co`))
  assert.ok(!isEmail(`${'a'.repeat(250)}@b.co`))
  fc.assert(fc.property(fc.emailAddress(), (email) => isEmail(email) && isEmail(normalizeEmail(email))))
})

const sandbox = {
  id: 'sb-a',
  status: 'running',
  template: 'minimal',
  vcpus: 1,
  memory_mb: 512,
  timeout_sec: 0,
  on_timeout: 'pause',
  metadata: {},
  created_at: '2026-01-01T00:00:00.000Z',
  started_at: null,
  last_active_at: '2026-01-01T00:00:00Z',
  last_updated: '2026-01-01T00:00:00Z',
}

function sandboxProblem(
  body: unknown,
  status = 200,
  contentType = 'application/json; charset=utf-8',
): string | undefined {
  return answerProblem(contract, 'getSandbox', { status, contentType, body })
}

test('an answer as the contract says has no problem', () => {
  assert.equal(sandboxProblem(sandbox), undefined)
  assert.equal(sandboxProblem({ error: { code: 'not_found', message: 'x' } }, 404), undefined)
  assert.equal(
    answerProblem(contract, 'pingSandbox', { status: 204, contentType: null, body: '' }),
    undefined,
  )
})

test('an answer that breaks the contract is told from one that does not', () => {
  const { id: _missing, ...without } = sandbox
  assert.match(sandboxProblem(without) ?? '', /id: is required/)
  assert.match(sandboxProblem({ ...sandbox, team_id: 'x' }) ?? '', /team_id: unknown field/)
  assert.match(sandboxProblem({ ...sandbox, status: 'starting' }) ?? '', /status: must be one of/)
  assert.match(
    sandboxProblem({ ...sandbox, created_at: 'today' }) ?? '',
    /created_at: must be an RFC 3339 time/,
  )
  assert.match(sandboxProblem({ ...sandbox, created_at: null }) ?? '', /created_at: must be a string/)
  assert.match(sandboxProblem(sandbox, 201) ?? '', /no such status/)
  assert.match(sandboxProblem(sandbox, 200, 'text/html') ?? '', /content type/)
  assert.match(sandboxProblem({ error: { code: 'x' } }, 404) ?? '', /error\.message: is required/)
  const answer = { status: 204, contentType: null, body: '{}' }
  assert.match(answerProblem(contract, 'pingSandbox', answer) ?? '', /no body/)
})

test('both contracts load, and every operation has an id of its own', () => {
  for (const { text, operations } of [contract, hostAgentContract()])
    assert.equal(operations.size, text.match(/^ +operationId:/gm)?.length)
})

test('a mistake in a contract stops the start', () => {
  const operation = (id: string) => `{operationId: ${id}, responses: {}}`
  const wrong = [
    `paths: {/a: {get: ${operation('x')}, post: ${operation('x')}}}`,
    `paths: {/a: {get: {responses: {}}}}`,
    `paths: {/a: {get: {operationId: x, parameters: [{$ref: "#/components/nothing"}]}}}`,
    `paths: {/a: {get: {operationId: x, parameters: [{name: q, in: query, schema: {type: nonsense}}]}}}`,
    `paths: {/a: {get: {operationId: x, parameters: [{name: q, in: query, schema: {format: nonsense}}]}}}`,
    `paths: {/a: {get: {operationId: x, parameters: [{name: q, in: query, schema: {minimun: 1}}]}}}`,
  ]
  for (const yaml of wrong) assert.throws(() => loadContract(yaml), Error, yaml)
})

test('nullable in the old way is a type of two', () => {
  const schema = '{type: object, properties: {a: {type: string, nullable: true}}}'
  const { operations } = loadContract(
    `paths: {/a: {get: {operationId: x, responses: {200: {content: {application/json: {schema: ${schema}}}}}}}}`,
  )
  const validate = operations.get('x')?.validateAnswer(200, 'application/json')
  assert.equal(validate?.({ a: null }), undefined)
  assert.equal(validate?.({ a: 1 }), 'a: must be a string or null')
})
