// The plugin as an app uses it, in small: a contract, its handlers, a server and a client on a unix socket.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { AppError, createLogger } from '@wrenn/base'
import { hostAgentContract, type Handlers, type HostAgentApi, type HostAgentSchemas } from '@wrenn/contract'
import { ContractClient } from './client.ts'
import { createContractServer } from './server.ts'

const sandboxes = new Map<string, HostAgentSchemas['Sandbox']>()

const capacity = {
  memory_promised_mib: 0,
  memory_overcommit: 4,
  memory_available_mib: 1024,
  memory_reserve_mib: 512,
  disk_free_mib: 4096,
  disk_reserve_mib: 1024,
  pool_size: 0,
  pool_ready: 0,
}

/** What this example leaves out. */
const laterOperations = [
  'pauseSandbox',
  'resumeSandbox',
  'touchSandbox',
  'listSnapshots',
  'createSnapshot',
  'deleteSnapshot',
  'suspend',
  'listFiles',
  'statFile',
  'makeDirectory',
  'moveFile',
  'removeFile',
  'watchFiles',
  'getMetrics',
  'startTerminal',
  'attachTerminal',
  'feedTerminal',
  'resizeTerminal',
  'stopTerminal',
] as const

const handlers: Handlers<HostAgentApi, undefined, (typeof laterOperations)[number]> = {
  health: async () => {
    const accelerator = { kind: 'tcg', reason: 'There is no /dev/kvm' } as const
    const machine = { cpu_cores: 2, memory_mib: 2048, sandboxes: sandboxes.size, warnings: [], capacity }
    return {
      status: 200,
      body: { version: '0.1.0', instance_id: 'abcdef', accelerator, vmm: 'fake 1', ...machine },
    }
  },
  listTemplates: async () => ({ status: 200, body: [] }),
  prepareGolden: async ({ body }) => ({
    status: 200,
    body: { key: body.template, built: false, duration_ms: 0 },
  }),
  listSandboxes: async () => ({ status: 200, body: [...sandboxes.values()] }),
  createSandbox: async ({ body }) => {
    if (body.template !== 'minimal') throw new AppError('not_found', `There is no template ${body.template}`)
    const sandbox = { ...body, status: 'running' as const, generation: 1 }
    sandboxes.set(body.id, sandbox)
    return { status: 201, body: sandbox }
  },
  getSandbox: async ({ params }) => {
    const sandbox = sandboxes.get(params.id)
    if (!sandbox) throw new AppError('not_found', `There is no sandbox ${params.id}`)
    return { status: 200, body: sandbox }
  },
  destroySandbox: async ({ params }) => {
    sandboxes.delete(params.id)
    return { status: 204 }
  },
  streamCommand: async ({ body }) => ({ status: 200, contentType: 'application/x-ndjson', body: body.cmd }),
  stopCommand: async () => ({ status: 204 }),
  readFile: async ({ query }) => {
    const content = files.get(query.path)
    if (!content) throw new AppError('not_found', `There is no ${query.path}`)
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield content
      throw new Error('the disk is gone')
    }
    const stream = query.path.endsWith('broken') ? Readable.from(broken()) : Readable.from([content])
    return { status: 200, contentType: 'application/octet-stream', body: stream }
  },
  writeFile: async ({ query, body }) => {
    if (query.path === '/full') throw new AppError('disk_full', 'No space left')
    const content = await buffer(body.stream.iterator({ destroyOnReturn: false }))
    files.set(query.path ?? '', content)
    return { status: 204 }
  },
  exec: async ({ body }) => {
    const stdout = [body.cmd, ...body.args].join(' ')
    return { status: 200, body: { exit_code: 0, stdout, stderr: '', encoding: 'utf-8', duration_ms: 1 } }
  },
}

const files = new Map<string, Buffer>()

let folder: string
let close: () => Promise<void>
let client: ContractClient<HostAgentApi>
const id = 'sb-aaaaaaaaaaaaaaaaaaaa'

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wrenn-http-'))
  const socketPath = join(folder, 'agent.sock')
  const contract = hostAgentContract()
  const server = await createContractServer({
    contract,
    handlers,
    laterOperations,
    logger: createLogger('example', 'silent'),
  })
  await server.listen({ path: socketPath })
  client = new ContractClient({ contract, peer: 'The host agent', target: { socketPath } })
  close = () => server.close()
})

after(async () => {
  client.close()
  await close()
  await rm(folder, { recursive: true })
})

test('a call goes through the contract to its handler and back', async () => {
  const request = { id, template: 'minimal', vcpus: 1, memory_mib: 128 }
  const sandbox = await client.call('createSandbox', { body: request })
  assert.deepEqual(sandbox, { ...request, status: 'running', generation: 1 })
  assert.deepEqual(await client.call('getSandbox', { params: { id } }), sandbox)
  assert.deepEqual(await client.call('listSandboxes', {}), [sandbox])
  assert.equal(await client.call('destroySandbox', { params: { id } }), undefined)
})

test('an error of the handler arrives as the same AppError', async () => {
  const body = { id, template: 'nope', vcpus: 1, memory_mib: 128 }
  await assert.rejects(
    client.call('createSandbox', { body }),
    new AppError('not_found', 'There is no template nope'),
  )
})

test('a call that breaks the contract is refused before the handler runs, naming the field', async () => {
  const body = { id, template: 'minimal', vcpus: 0, memory_mib: 128 }
  await assert.rejects(
    client.call('createSandbox', { body }),
    new AppError('invalid_request', 'vcpus: must be at least 1'),
  )
})

test('a peer that is not there is unavailable', async () => {
  const target = { socketPath: join(folder, 'nobody.sock') }
  const lonely = new ContractClient({ contract: hostAgentContract(), peer: 'The host agent', target })
  await assert.rejects(lonely.call('health', {}), { code: 'unavailable' })
})

const octets = (stream: Readable): { contentType: string; stream: Readable } => ({
  contentType: 'application/octet-stream',
  stream,
})

test('a body that is no JSON streams through, both ways', async () => {
  const content = Buffer.alloc(5_000_000, 'x')
  const query = { path: '/a file\n+ä' }
  // A copy: the client frees what it has sent.
  const body = octets(Readable.from([Buffer.from(content)]))
  await client.call('writeFile', { params: { id }, query, body })
  const answer = await client.stream('readFile', { params: { id }, query })
  assert.deepEqual(await buffer(answer), content)
})

test('a refusal arrives although gigabytes were to come, and the next call works', async () => {
  let sent = 0
  const endless = Readable.from(
    (function* () {
      for (; sent < 1e12; sent += 65_536) yield Buffer.alloc(65_536)
    })(),
  )
  const call = { params: { id }, query: { path: '/full' }, body: octets(endless) }
  await assert.rejects(client.call('writeFile', call), { code: 'disk_full' })
  endless.destroy()
  assert.deepEqual(await client.call('listTemplates', {}), [])
})

test('a body that fails half-way fails the call with its error, and the handler never sees an end', async () => {
  const broken = Readable.from(
    (function* () {
      yield Buffer.from('a')
      throw new AppError('too_large', 'Enough')
    })(),
  )
  const call = { params: { id }, query: { path: '/half' }, body: octets(broken) }
  await assert.rejects(client.call('writeFile', call), { code: 'too_large', message: 'Enough' })
  assert.equal(files.has('/half'), false)
})

test('an answer that fails half-way breaks the connection', async () => {
  files.set('/broken', Buffer.from('a part'))
  const answer = await client.stream('readFile', { params: { id }, query: { path: '/broken' } })
  await assert.rejects(buffer(answer))
})

test('another content type is refused with those that are right', async () => {
  const body = { contentType: 'text/plain', stream: Readable.from(['a']) }
  await assert.rejects(client.call('writeFile', { params: { id }, query: { path: '/t' }, body }), {
    code: 'unsupported_media_type',
    message: /octet-stream/,
  })
})
