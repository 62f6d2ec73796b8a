// What every server of ours refuses, spoken to over a raw socket, so that nothing is smoothed over by a client.
import assert from 'node:assert/strict'
import { connect, type AddressInfo } from 'node:net'
import { after, afterEach, before, describe, it } from 'node:test'
import { AppError, pollUntil, type Logger } from '@wrenn/base'
import { loadContract, type AnyApi, type Handlers } from '@wrenn/contract'
import type { FastifyInstance } from 'fastify'
import { parseAnswer, readAnswer, writeAll, type RawAnswer } from './raw-http.ts'
import { createContractServer } from './server.ts'

const contractYaml = `
openapi: "3.1.0"
paths:
  /things/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string}}]
    get: {operationId: getThing, responses: {"200": {content: {application/json: {schema: {type: object}}}}}}
    post:
      operationId: setThing
      security: [{bearerAuth: []}]
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, additionalProperties: false, properties: {a: {type: string}}}}}
      responses: {"200": {content: {application/json: {schema: {type: object}}}}}
    put:
      operationId: sendThing
      requestBody: {required: true, content: {multipart/form-data: {schema: {type: object}}}}
      responses: {"204": {}}
    delete: {operationId: dropThing, responses: {"204": {}}}
  /later:
    get: {operationId: later, responses: {"204": {}}}
`

interface TestApi extends AnyApi {
  operations: {
    getThing: { responses: { 200: { content: { 'application/json': object } } } }
    setThing: {
      requestBody: { content: { 'application/json': { a?: string } } }
      responses: { 200: { content: { 'application/json': object } } }
    }
    sendThing: {
      requestBody: { content: { 'multipart/form-data': object } }
      responses: { 204: object }
    }
    dropThing: { responses: { 204: object } }
    later: { responses: { 204: object } }
  }
  security: { getThing: never; setThing: 'bearerAuth'; sendThing: never; dropThing: never; later: never }
}

describe('a server', () => {
  let server: FastifyInstance
  let port: number
  const logged: Record<string, unknown>[] = []
  let handled: string[] = []

  const handlers: Handlers<TestApi, string, 'later'> = {
    getThing: async ({ requestId }) => {
      handled.push('getThing')
      return { status: 200, body: { requestId } }
    },
    setThing: async ({ body, auth }) => {
      handled.push('setThing')
      if (body.a === 'crash') throw new Error('/secret/path')
      if (body.a === 'full') throw new AppError('no_capacity', 'Full')
      return { status: 200, body: { a: body.a, auth } }
    },
    sendThing: async () => {
      throw new AppError('disk_full', 'Full')
    },
    dropThing: async ({ signal }) => {
      handled.push('dropThing')
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      handled.push('aborted')
      return { status: 204 }
    },
  }

  before(async () => {
    const log = (line: object): void => void logged.push(line as Record<string, unknown>)
    server = await createContractServer<TestApi, string, 'later'>({
      contract: loadContract<TestApi>(contractYaml),
      handlers,
      laterOperations: ['later'],
      authenticate: async ({ headers, note }) => {
        if (headers['authorization'] !== 'Bearer good') throw new AppError('unauthorized', 'Who are you?')
        note({ userId: 'usr-1' })
        return 'usr-1'
      },
      logger: { info: log, warn: log, error: log } as unknown as Logger,
    })
    await server.listen({ port: 0, host: '127.0.0.1' })
    port = (server.server.address() as AddressInfo).port
  })

  afterEach(() => {
    handled = []
    logged.length = 0
  })

  after(() => server.closeGracefully(1_000))

  /** Writes all of it, as a simple client does, and only then reads; fails when the connection breaks instead. */
  async function raw(...parts: (string | Buffer)[]): Promise<RawAnswer> {
    const socket = connect(port, '127.0.0.1')
    for (const part of parts) await writeAll(socket, part)
    const text = await readAnswer(socket)
    socket.destroy()
    return parseAnswer(text)
  }

  function request(line: string, headers: Record<string, string> = {}, body = ''): string {
    const all = { host: 'x', ...(body === '' ? {} : { 'content-length': String(body.length) }), ...headers }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    return `${line} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
  }

  const json = { 'content-type': 'application/json' }
  const good = { ...json, authorization: 'Bearer good' }

  function assertRefused({ status, headers, body }: RawAnswer, wanted: number, code: string): string {
    assert.equal(status, wanted, body)
    assert.match(headers.get('content-type') ?? '', /^application\/json/)
    assert.match(headers.get('x-request-id') ?? '', /^[\w.-]{1,128}$/)
    const { error } = JSON.parse(body) as { error: { code: string; message: string } }
    assert.deepEqual(Object.keys(error), ['code', 'message'])
    assert.equal(error.code, code)
    assert.ok(error.message.length > 0)
    return error.message
  }

  const megabytes = Buffer.alloc(5 * 1024 * 1024, 'a')
  const five = { 'content-length': String(megabytes.length) }

  it('413 arrives although the client first sends all of its 5 MB', async () => {
    assertRefused(await raw(request('POST /things/a', { ...good, ...five }), megabytes), 413, 'too_large')
    assert.deepEqual(handled, [])
  })

  it('413 also when the length was not announced', async () => {
    const chunk = Buffer.concat([Buffer.from('200000\r\n'), Buffer.alloc(0x200000, 'a'), Buffer.from('\r\n')])
    const head = request('POST /things/a', { ...good, 'transfer-encoding': 'chunked' })
    assertRefused(await raw(head, chunk, chunk, '0\r\n\r\n'), 413, 'too_large')
  })

  it('a body of exactly 1 MiB is read', async () => {
    const body = JSON.stringify({ a: 'a'.repeat(1024 * 1024 - 8) })
    assert.equal(body.length, 1024 * 1024)
    assert.equal((await raw(request('POST /things/a', good, body))).status, 200)
    assertRefused(await raw(request('POST /things/a', good, ` ${body}`)), 413, 'too_large')
  })

  it('401 comes before the body is looked at, and arrives', async () => {
    const answer = await raw(request('POST /things/a', { ...json, ...five }), megabytes)
    assertRefused(answer, 401, 'unauthorized')
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
    assertRefused(await raw(request('POST /things/a', json, '{"broken')), 401, 'unauthorized')
  })

  it('404 and 405 come before the body too', async () => {
    assertRefused(await raw(request('POST /nowhere', { ...json, ...five }), megabytes), 404, 'not_found')
    const answer = await raw(request('PATCH /things/a', json, '{"broken'))
    assertRefused(answer, 405, 'method_not_allowed')
    assert.equal(answer.headers.get('allow'), 'GET, HEAD, PUT, POST, DELETE')
  })

  it('an upload is refused at once, and listened to for a while, also when the connection is to end', async () => {
    for (const connection of ['keep-alive', 'close']) {
      const socket = connect(port, '127.0.0.1')
      const type = 'multipart/form-data; boundary=x'
      await writeAll(socket, request('PUT /things/a', { ...five, 'content-type': type, connection }))
      await writeAll(socket, megabytes.subarray(0, 100_000))
      assertRefused(parseAnswer(await readAnswer(socket)), 507, 'disk_full')
      await writeAll(socket, megabytes.subarray(100_000, -1))
      await writeAll(socket, megabytes.subarray(-1))
      socket.destroy()
    }
    await pollUntil('both are logged', () => logged.length === 2 || undefined, { timeoutMs: 2_000 })
  })

  it('a refused upload is logged with its status, also when the client stops and leaves', async () => {
    const socket = connect(port, '127.0.0.1')
    const headers = { ...five, 'content-type': 'multipart/form-data; boundary=x' }
    await writeAll(socket, request('PUT /things/a', headers))
    assertRefused(parseAnswer(await readAnswer(socket)), 507, 'disk_full')
    socket.destroy()
    const isOurs = (line: Record<string, unknown>): boolean => line['op'] === 'sendThing'
    const line = await pollUntil('the line', () => logged.find(isOurs), { timeoutMs: 2_000 })
    assert.deepEqual([line['status'], line['outcome']], [507, 'failed'])
  })

  it('a body that does not end is not read for ever', async () => {
    const endless = Buffer.alloc(17 * 1024 * 1024, 'a')
    const head = request('POST /nowhere', { ...json, 'content-length': String(1024 ** 3) })
    const answer = await raw(head, endless)
    assertRefused(answer, 404, 'not_found')
    assert.equal(answer.headers.get('connection'), 'close')
  })

  it('405 for odd methods, on a known path only', async () => {
    for (const method of ['PATCH', 'PROPFIND', 'TRACE']) {
      assertRefused(await raw(request(`${method} /things/a`)), 405, 'method_not_allowed')
      assertRefused(await raw(request(`${method} /nowhere`)), 404, 'not_found')
    }
    assertRefused(await raw('CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n'), 405, 'method_not_allowed')
  })

  it('OPTIONS names the methods; HEAD answers as GET without a body', async () => {
    const options = await raw(request('OPTIONS /things/a'))
    assert.equal(options.status, 204)
    assert.equal(options.headers.get('allow'), 'GET, HEAD, PUT, POST, DELETE')
    const head = await raw(request('HEAD /things/a', { connection: 'close' }))
    assert.equal(head.status, 200)
    assert.equal(head.body, '')
  })

  it('415 for a body that is not JSON', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'nonsense']) {
      const answer = await raw(request('POST /things/a', { ...good, 'content-type': type }, 'a=b'))
      assertRefused(answer, 415, 'unsupported_media_type')
    }
    const none = request('POST /things/a', { authorization: 'Bearer good' }, '{}')
    assertRefused(await raw(none), 415, 'unsupported_media_type')
    const charset = { ...good, 'content-type': 'Application/JSON; charset=utf-8' }
    assert.equal((await raw(request('POST /things/a', charset, '{}'))).status, 200)
  })

  it('400 for broken JSON, invalid UTF-8, no body, a wrong field', async () => {
    const post = (body: string | Buffer): Promise<RawAnswer> =>
      raw(request('POST /things/a', { ...good, 'content-length': String(body.length) }), body)
    for (const body of ['{', '{"a":1', 'nope', '{"a":"b"}x', '\u0000']) {
      assert.match(assertRefused(await post(body), 400, 'invalid_request'), /not valid JSON/)
    }
    assertRefused(await post(Buffer.from([0x22, 0xff, 0x22])), 400, 'invalid_request')
    assert.match(assertRefused(await post(''), 400, 'invalid_request'), /body is required/)
    assert.equal(assertRefused(await post('{"a":1}'), 400, 'invalid_request'), 'a: must be a string')
    assert.equal(
      assertRefused(await post('{"b":1}'), 400, 'invalid_request'),
      'b: unknown field; known are a',
    )
    assert.deepEqual(handled, [])
  })

  it('400 for a malformed URL, bytes that are not HTTP, a missing Host', async () => {
    assertRefused(await raw(request('GET /things/%zz')), 400, 'invalid_request')
    assertRefused(await raw('hello\r\n\r\n'), 400, 'invalid_request')
    assertRefused(await raw('GET /things/a HTTP/1.1\r\n\r\n'), 400, 'invalid_request')
    assertRefused(await raw(request('GET /things/a', { 'content-length': 'x' })), 400, 'invalid_request')
    const smuggled = { 'content-length': '3', 'transfer-encoding': 'chunked' }
    assertRefused(await raw(request('POST /things/a', smuggled)), 400, 'invalid_request')
  })

  it('431 in the same shape for headers that are too large', async () => {
    assertRefused(await raw(request('GET /things/a', { big: 'a'.repeat(20_000) })), 431, 'invalid_request')
  })

  it('a crash gives nothing away but the request id, and the log has the rest', async () => {
    const answer = await raw(request('POST /things/a', { ...good, 'x-request-id': 'mine' }, '{"a":"crash"}'))
    const message = assertRefused(answer, 500, 'internal_error')
    assert.match(message, /request id mine$/)
    assert.ok(!answer.body.includes('secret'))
    const line = logged.find(({ outcome }) => outcome === 'failed')
    assert.match(JSON.stringify(line), /secret\/path/)
  })

  it('503 says when to try again', async () => {
    const answer = await raw(request('POST /things/a', good, '{"a":"full"}'))
    assertRefused(answer, 503, 'no_capacity')
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
  })

  it('takes over a sane request id and makes its own for others', async () => {
    const ask = async (id: string): Promise<string | undefined> =>
      (await raw(request('GET /things/a', { 'x-request-id': id }))).headers.get('x-request-id')
    assert.equal(await ask('Abc-1.2_3'), 'Abc-1.2_3')
    assert.equal(await ask('a'.repeat(128)), 'a'.repeat(128))
    for (const id of ['a'.repeat(129), 'a b', 'a;b', 'ü'])
      assert.match((await ask(id)) ?? '', /^[0-9a-f]{24}$/)
  })

  it('an operation without a body takes one all the same, of any kind, and does not read it', async () => {
    for (const headers of [json, { 'content-type': 'text/plain' }, {}]) {
      const head = request('GET /things/a', { ...headers, 'content-length': '8' })
      assert.equal((await raw(head, '{"broken')).status, 200)
    }
  })

  it('an expectation other than 100-continue is ignored', async () => {
    assert.equal((await raw(request('GET /things/a', { expect: 'nonsense' }))).status, 200)
  })

  it('a later operation is not there', async () => {
    assertRefused(await raw(request('GET /later')), 404, 'not_found')
  })

  it('logs one line with ids, without query or credentials', async () => {
    await raw(request('POST /things/a?token=hidden', good, '{"a":"b"}'))
    const line = await pollUntil('the line', () => logged[0], { timeoutMs: 2_000 })
    assert.equal(logged.length, 1)
    const { op, outcome, status, userId, name } = line
    assert.deepEqual(
      { op, outcome, status, userId, name },
      { op: 'setThing', outcome: 'ok', status: 200, userId: 'usr-1', name: 'a' },
    )
    assert.ok(!/hidden|Bearer/.test(JSON.stringify(line)))
  })

  it('the handler learns when the client goes away', async () => {
    const socket = connect(port, '127.0.0.1')
    await writeAll(socket, request('DELETE /things/a'))
    await pollUntil('it is handled', () => handled.includes('dropThing') || undefined, { timeoutMs: 2_000 })
    socket.destroy()
    await pollUntil('it is aborted', () => handled.includes('aborted') || undefined, { timeoutMs: 2_000 })
    const line = await pollUntil('the line', () => logged[0], { timeoutMs: 2_000 })
    assert.equal(line['outcome'], 'client_gone')
  })

  it('keeps the connection for the next request', async () => {
    const socket = connect(port, '127.0.0.1')
    for (const line of ['GET /nowhere', 'GET /things/a', 'PATCH /things/a', 'GET /things/a']) {
      await writeAll(socket, request(line))
      const { headers } = parseAnswer(await readAnswer(socket))
      assert.equal(headers.get('connection'), 'keep-alive')
    }
    socket.destroy()
  })
})
