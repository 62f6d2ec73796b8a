// The client against servers that misbehave.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { AppError } from '@wrenn/base'
import { hostAgentContract, type HostAgentApi } from '@wrenn/contract'
import { ContractClient } from './client.ts'

const contract = hostAgentContract()
const params = { id: 'sb-aaaaaaaaaaaaaaaaaaaa' }

describe('the client', () => {
  let folder: string
  let server: Server
  let client: ContractClient<HostAgentApi>
  let answer: (socket: Socket, request: string) => void
  let connections = 0
  const sockets = new Set<Socket>()

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wrenn-client-'))
    const socketPath = join(folder, 'peer.sock')
    server = createServer((socket) => {
      connections += 1
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('data', (data) => answer(socket, data.toString()))
    })
    await new Promise<void>((resolve) => server.listen(socketPath, resolve))
    client = new ContractClient({ contract, peer: 'The peer', target: { socketPath } })
  })

  afterEach(() => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    connections = 0
  })

  after(async () => {
    client.close()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true })
  })

  function respond(status: number, body: string): void {
    answer = (socket) => {
      socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
    }
  }

  it('uses one connection for calls one after the other', async () => {
    respond(200, '[]')
    for (let call = 0; call < 5; call += 1) assert.deepEqual(await client.call('listSandboxes', {}), [])
    assert.equal(connections, 1)
  })

  it('gives back the AppError that the peer threw', async () => {
    respond(409, '{"error":{"code":"invalid_state","message":"It is paused"}}')
    await assert.rejects(client.call('getSandbox', { params }), new AppError('invalid_state', 'It is paused'))
  })

  it('makes agent_error of an answer that is not in the Error shape', async () => {
    for (const body of [
      '',
      'oops',
      '{}',
      '{"error":"x"}',
      '{"error":{"code":"made_up","message":"x"}}',
      'null',
    ]) {
      respond(500, body)
      await assert.rejects(client.call('getSandbox', { params }), { code: 'agent_error' }, body)
    }
  })

  it('makes agent_error of a success that is not JSON', async () => {
    respond(200, '<html>')
    await assert.rejects(client.call('health', {}), { code: 'agent_error' })
  })

  it('makes agent_error of a connection that breaks, before and in the answer', async () => {
    answer = (socket) => socket.destroy()
    await assert.rejects(client.call('health', {}), {
      code: 'agent_error',
      message: 'The peer broke off the connection',
    })
    answer = (socket) => {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":')
    }
    await assert.rejects(client.call('health', {}), { code: 'agent_error' })
  })

  it("ends with the signal's reason when that aborts, also in the middle of the answer", async () => {
    const silent = new AbortController()
    answer = () => silent.abort(new Error('enough'))
    await assert.rejects(client.call('health', { signal: silent.signal }), /^Error: enough$/)
    const halfway = new AbortController()
    answer = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":', () =>
        halfway.abort(new Error('enough')),
      )
    }
    await assert.rejects(client.call('health', { signal: halfway.signal }), /^Error: enough$/)
  })

  it('streams an answer as it comes', async () => {
    answer = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n')
    }
    const stream = await client.stream('listSandboxes', {})
    const [first] = await new Promise<[Buffer]>((resolve) =>
      stream.once('data', (chunk: Buffer) => resolve([chunk])),
    )
    assert.equal(first.toString(), 'abc')
    for (const socket of sockets) socket.write('3\r\ndef\r\n0\r\n\r\n')
    assert.equal((await buffer(stream)).toString(), 'def')
  })

  it('encodes what goes into the path', async () => {
    let line = ''
    answer = (socket, request) => {
      line = request.split('\r\n')[0] ?? ''
      socket.write('HTTP/1.1 204 No Content\r\n\r\n')
    }
    await client.call('destroySandbox', { params: { id: '../a b' } })
    assert.equal(line, 'DELETE /v1/sandboxes/..%2Fa%20b HTTP/1.1')
  })
})
