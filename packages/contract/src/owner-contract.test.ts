// The owner's contract is binding: contracts/public.yaml may add to it, but nothing of it disappears or changes meaning.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { Json, Schema } from './document.ts'

const owner = load('../fixtures/owner-contract.yaml')
const ours = load('../../../contracts/public.yaml')
const methods = new Set(['get', 'put', 'post', 'delete', 'patch'])

test('every operation of the owner is ours too', () => {
  let operations = 0
  for (const [path, item] of Object.entries(child(owner, 'paths'))) {
    for (const [method, operation] of Object.entries(item as Schema)) {
      if (!methods.has(method)) continue
      operations += 1
      const our = child(child(ours, 'paths'), path)
      const where = `${method} ${path}`
      assert.ok(our[method], `${where} is missing`)
      checkOperation(where, operation as Schema, our[method] as Schema)
      checkParameters(where, [item as Schema, operation as Schema], [our, our[method] as Schema])
    }
  }
  assert.equal(operations, 23)
})

test('every schema of the owner is ours too, with all its fields', () => {
  const theirs = child(child(owner, 'components'), 'schemas')
  const schemas = child(child(ours, 'components'), 'schemas')
  for (const [name, schema] of Object.entries(theirs)) {
    checkSchema(name, schema, schemas[name], name.endsWith('Request'))
  }
})

test('both ways to authenticate are as the owner wrote them', () => {
  const schemes = child(child(owner, 'components'), 'securitySchemes')
  assert.deepEqual(child(child(ours, 'components'), 'securitySchemes'), schemes)
})

test('the comparison notices what is missing or different', () => {
  const theirs = { type: 'object', properties: { a: { type: 'integer', default: 1 } } }
  const different = [
    undefined,
    { type: 'object', properties: {} },
    { type: 'object', properties: { a: { type: 'string', default: 1 } } },
    { type: 'object', properties: { a: { type: 'integer', default: 2 } } },
    { type: 'object', properties: { a: { type: 'integer' } } },
    { type: 'object', required: ['a'], properties: { a: { type: 'integer', default: 1 } } },
  ]
  for (const our of different) assert.throws(() => checkSchema('x', theirs, our, true))
  checkSchema('x', theirs, { ...theirs, properties: { ...theirs.properties, b: {} } }, true)
})

function checkOperation(where: string, theirs: Schema, our: Schema): void {
  for (const key of ['operationId', 'tags', 'summary', 'description']) {
    assert.deepEqual(our[key], theirs[key], `${where}: ${key}`)
  }
  for (const scheme of schemesOf(theirs)) assert.ok(schemesOf(our).includes(scheme), `${where}: ${scheme}`)
  if (schemesOf(theirs).length === 0) assert.deepEqual(schemesOf(our), [], `${where}: open to all`)
  const body = theirs['requestBody'] as Schema | undefined
  assert.equal(body === undefined, our['requestBody'] === undefined, `${where}: body`)
  if (body) {
    assert.equal(child(our, 'requestBody')['required'], body['required'], `${where}: body required`)
    checkContent(`${where}: body`, body, { our: child(our, 'requestBody'), isRequest: true })
  }
  for (const [status, response] of Object.entries(child(theirs, 'responses'))) {
    const ourResponse = resolve(ours, child(our, 'responses')[status])
    assert.equal(ourResponse['description'], (response as Schema)['description'], `${where} ${status}`)
    checkContent(`${where} ${status}`, response as Schema, { our: ourResponse, isRequest: false })
  }
}

function checkContent(where: string, theirs: Schema, other: { our: Schema; isRequest: boolean }): void {
  for (const [type, media] of Object.entries(child(theirs, 'content', {}))) {
    const our = child(other.our, 'content', {})[type] as Schema | undefined
    assert.ok(our, `${where}: ${type} is missing`)
    checkSchema(where, child(media as Schema, 'schema'), our['schema'], other.isRequest)
  }
}

/** `theirs` and `ours`: the path item and the operation, both of which may hold parameters. */
function checkParameters(where: string, theirs: Schema[], our: Schema[]): void {
  const ourParameters = our.flatMap((holder) => (holder['parameters'] ?? []) as Schema[])
  for (const parameter of theirs.flatMap((holder) => (holder['parameters'] ?? []) as Schema[])) {
    const name = parameter['name'] as string
    const match = ourParameters.find((p) => p['name'] === name && p['in'] === parameter['in'])
    assert.ok(match, `${where}: parameter ${name} is missing`)
    assert.equal(match['required'] ?? false, parameter['required'] ?? false, `${where}: ${name} required`)
    checkSchema(`${where}: ${name}`, parameter['schema'], match['schema'], true)
  }
}

function checkSchema(
  where: string,
  theirSource: Json | undefined,
  ourSource: Json | undefined,
  isRequest: boolean,
): void {
  assert.ok(ourSource, `${where} is missing`)
  const theirs = resolve(owner, theirSource)
  const our = resolve(ours, ourSource)
  assert.deepEqual(typesOf(our), typesOf(theirs), `${where}: type`)
  for (const key of ['format', 'default', 'minLength', 'description']) {
    if (theirs[key] !== undefined || key === 'default')
      assert.deepEqual(our[key], theirs[key], `${where}: ${key}`)
  }
  assert.deepEqual(our['enum'], theirs['enum'], `${where}: enum`)
  const required = (theirs['required'] ?? []) as string[]
  const ourRequired = (our['required'] ?? []) as string[]
  // A request may not ask for more than the owner's; an answer may promise more.
  if (isRequest) assert.deepEqual(new Set(ourRequired), new Set(required), `${where}: required`)
  else for (const name of required) assert.ok(ourRequired.includes(name), `${where}: required ${name}`)
  if (theirs['items']) checkSchema(`${where}[]`, theirs['items'], our['items'], isRequest)
  for (const [name, property] of Object.entries(child(theirs, 'properties', {}))) {
    checkSchema(`${where}.${name}`, property, child(our, 'properties', {})[name], isRequest)
  }
}

/** `type: T, nullable: true` is `type: [T, 'null']`. */
function typesOf(schema: Schema): Set<Json | undefined> {
  const type = schema['type']
  return new Set([...(Array.isArray(type) ? type : [type]), ...(schema['nullable'] === true ? ['null'] : [])])
}

function schemesOf(operation: Schema): string[] {
  return ((operation['security'] ?? []) as Schema[]).flatMap((entry) => Object.keys(entry))
}

function resolve(root: Schema, value: Json | undefined): Schema {
  assert.ok(value, 'a reference to nothing')
  const reference = (value as Schema)['$ref']
  if (typeof reference !== 'string') return value as Schema
  return reference
    .slice(2)
    .split('/')
    .reduce((at, key) => child(at, key), root)
}

function child(of: Schema, key: string, otherwise?: Schema): Schema {
  const value = of[key] ?? otherwise
  assert.ok(value, `${key} is missing`)
  return value as Schema
}

function load(path: string): Schema {
  return parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Schema
}
