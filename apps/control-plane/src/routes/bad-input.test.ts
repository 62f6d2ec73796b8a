// What callers get wrong, made from the contract for every operation that it has: each gets the right status and a message
// that names what is wrong, and the platform is as it was before.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { parseDocument, publicContract, type OperationDocument, type PublicSchemas } from '@wrenn/contract'
import { newId } from '@wrenn/base'
import { wrongParameters, wrongValues } from '../../../../test/support/wrong-values.ts'
import type { Id, PreparedCall } from './cases/case.ts'
import { createWorld, goodCall, type World } from './cases/given.ts'

const { operations, schemas } = parseDocument(publicContract().text)

describe('bad input', () => {
  let world: World

  before(async () => {
    world = await createWorld()
  })

  after(() => world?.platform.remove())

  async function refused(code: string, id: Id, call: PreparedCall): Promise<string> {
    const { at: _here, ...rest } = call
    return (call.at ?? world.platform.api).refused(code, id, rest)
  }

  describe('of every operation', () => {
    for (const operation of operations) {
      const id = operation.id as Id
      const { body, parameters } = operation
      const schema = body?.content['application/json']

      if (schema) {
        it(`${id} refuses each wrong body and names the field`, async () => {
          const call = await goodCall(world, id)
          const before = await traces()
          const wrong = wrongValues(schema, call.body, { schemas })
          assert.ok(wrong.length > 10)
          for (const { value, says } of wrong) {
            const message = await refused('invalid_request', id, { ...call, body: value })
            assert.match(message, says, JSON.stringify(value).slice(0, 200))
          }
          assert.deepEqual(await traces(), before)
        })

        it(`${id} gets over any text that its schema lets through`, async () => {
          const call = await goodCall(world, id)
          for (const field of Object.keys(call.body as object)) {
            for (const text of ['a\0b', '/a\0b', '\ud800', 'x'.repeat(500_000)]) {
              const { status } = await world.platform.api.call(id, {
                ...call,
                body: { ...(call.body as object), [field]: text },
              })
              assert.ok(status < 500, `${field}: ${status}`)
            }
          }
        })
      }

      if (body) {
        it(`${id} refuses other content types and names those that are right`, async () => {
          const call = await goodCall(world, id)
          const right = Object.keys(body.content)
          const types = ['application/json', 'multipart/form-data; boundary=x', 'text/plain', 'nonsense', '']
          for (const type of types.filter((type) => !right.includes(type.split(';')[0] ?? ''))) {
            const headers = { 'content-type': type }
            const message = await refused('unsupported_media_type', id, { ...call, headers })
            for (const each of right) assert.ok(message.includes(each), message)
          }
        })
      }

      const wrong = wrongParameters(parameters, schemas)
      if (wrong.length > 0) {
        it(`${id} refuses each wrong parameter and names it`, async () => {
          const call = await goodCall(world, id)
          const before = await traces()
          for (const { in: place, name, text, says } of wrong) {
            const more =
              place === 'query'
                ? { query: joined(without(name, call.query), text) }
                : { headers: { ...call.headers, [name]: text } }
            assert.match(await refused('invalid_request', id, { ...call, ...more }), says, text.slice(0, 200))
          }
          assert.deepEqual(await traces(), before)
        })
      }

      it(`${id} ignores unknown query parameters`, async () => {
        const [first] = operation.responses.keys()
        const { at = world.platform.api, ...call } = await goodCall(world, id)
        const query = joined(call.query, 'surprise=1&__proto__=2')
        assert.equal((await at.call(id, { ...call, query })).status, first)
      })

      const inPath = parameters.filter((parameter) => parameter.in === 'path')
      for (const { name } of inPath) {
        it(`${id} knows no odd ${name}`, async () => {
          const { at = world.platform.api, ...call } = await goodCall(world, id)
          const before = await traces()
          for (const text of oddNames) {
            const { status } = await at.call(id, { ...call, params: { ...call.params, [name]: text } })
            // Deleting what is not there is fine.
            assert.equal(status, operation.responses.has(404) ? 404 : 204, text.slice(0, 100))
          }
          assert.deepEqual(await traces(), before)
        })
      }
    }

    for (const [path, methods] of methodsByPath(operations)) {
      it(`${path} answers 405 to other methods, with Allow`, async () => {
        const url = world.platform.api.url + path.replaceAll(/\{\w+\}/g, 'any')
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
          if (methods.includes(method)) continue
          const response = await fetch(url, { method, headers: { 'x-api-key': world.owner.apiKey } })
          assert.equal(response.status, 405, method)
          const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
          assert.deepEqual(response.headers.get('allow')?.split(', ').toSorted(), allow.toSorted())
          assert.equal(((await response.json()) as PublicSchemas['Error']).error.code, 'method_not_allowed')
        }
      })
    }
  })

  describe('that the contract cannot know', () => {
    let before: Awaited<ReturnType<typeof traces>>

    beforeEach(async () => {
      before = await traces()
    })

    afterEach(async () => assert.deepEqual(await traces(), before))

    const tooMuchForTheHost: [object, RegExp][] = [
      [{ vcpus: 5 }, /^vcpus: must be at most 4, the cores of the host$/],
      [{ memory_mb: 8193 }, /^memory_mb: must be at most 8192, the memory of the host$/],
    ]
    for (const [body, message] of tooMuchForTheHost) {
      it(`a sandbox of ${JSON.stringify(body)} is more than the host has`, async () => {
        const call = { as: world.owner, body }
        assert.match(await refused('invalid_request', 'createSandbox', call), message)
      })
    }

    it('unknown fields are named all at once', async () => {
      assert.equal(
        await refused('invalid_request', 'createAPIKey', {
          as: { token: world.owner.token },
          body: { cpu: 1, ram: 2 },
        }),
        'cpu, ram: unknown fields; known are name',
      )
    })

    it('ids of another kind, and ids of nothing, are not there', async () => {
      for (const id of [newId('sb'), newId('key'), world.owner.teamId])
        await refused('not_found', 'getSandbox', { as: world.owner, params: { id } })
    })
  })

  /** What a request that is refused leaves as it is. */
  async function traces() {
    const { platform, owner } = world
    const changing = ['createSandbox', 'destroySandbox', 'exec', 'writeFile', 'streamCommand'] as const
    const sandboxes = await platform.api.list(owner)
    return {
      sandboxes: sandboxes.map(({ last_active_at: _follows, ...sandbox }) => sandbox),
      keys: (await platform.api.expect<unknown[]>(200, 'listAPIKeys', { as: { token: owner.token } })).length,
      calls: changing.map((operation) => platform.agent.count(operation)),
    }
  }
})

const oddNames = [
  '\0',
  'sb-',
  'sb-%00',
  'sb-aaaaaaaaaaaaaaaaaaaa\0',
  'a/b',
  '..%2f..',
  "' or 1=1",
  'constructor',
  'é'.repeat(20),
  '🦉',
  'x'.repeat(101),
  'x'.repeat(5_000),
]

function methodsByPath(operations: OperationDocument[]): Map<string, string[]> {
  const methods = new Map<string, string[]>()
  for (const { path, method } of operations) methods.set(path, [...(methods.get(path) ?? []), method])
  return methods
}

/** The query without one of its parameters. */
function without(name: string, query = ''): string {
  const others = new URLSearchParams(query)
  others.delete(name)
  return others.toString()
}

function joined(...queries: (string | undefined)[]): string {
  return queries.filter((part) => part !== undefined && part !== '').join('&')
}
