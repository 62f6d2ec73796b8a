// Every operation of the contract is reached by a method of the SDK: a new one without a method fails here. And what the
// SDK repeats from elsewhere by hand (required fields, error codes) is what it is there.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readFileSync } from 'node:fs'
import { errorCodes } from '@wrenn/base'
import { parseDocument, publicContract } from '@wrenn/contract'
import { createPlatform, type Platform } from '../../../test/support/control-plane.ts'
import { serverErrorCodes } from './errors.ts'
import { Wrenn, type WrennOptions } from './index.ts'

/** Pages for people, and where browsers are sent. */
const notForClients = new Set(['oauthRedirect', 'oauthCallback', 'getDocs', 'getDocsFile'])

const operations = [...publicContract().operations.values()]

describe('the SDK', () => {
  let platform: Platform
  const reached = new Set<string>()

  before(async () => {
    platform = await createPlatform()
  })

  after(() => platform?.remove())

  it('reaches every operation of the contract', async () => {
    await callEverything((options) => recording({ baseUrl: platform.api.url, ...options }, reached))
    const wanted = operations.map(({ id }) => id).filter((id) => !notForClients.has(id))
    assert.deepEqual([...reached].sort(), wanted.sort())
  })

  it('reaches what has no method by its path', async () => {
    const wrenn = new Wrenn({ baseUrl: platform.api.url })
    const page = await wrenn.call('get', '/docs', {})
    assert.match(page, /<html/)
    const file = /src="([^"]+)"/.exec(page)?.[1]?.split('/').at(-1) ?? ''
    assert.ok((await wrenn.call('get', '/docs/{file}', { params: { file } })).length > 0)
  })
})

it('asks for the fields of a request that the contract asks for', () => {
  const text = readFileSync(new URL('../../../contracts/public.yaml', import.meta.url), 'utf8')
  const { schemas } = parseDocument(text)
  const required = (name: string): unknown => {
    const { properties, required = [] } = schemas[name] as {
      properties: Record<string, object>
      required?: string[]
    }
    assert.ok(Object.keys(properties).length > 0, name)
    return required
  }
  // wire.ts says the same in types.
  assert.deepEqual(required('SignupRequest'), ['email', 'password'])
  assert.deepEqual(required('LoginRequest'), ['email', 'password'])
  assert.deepEqual(required('CreateAPIKeyRequest'), [])
  assert.deepEqual(required('CreateSandboxRequest'), [])
  assert.deepEqual(required('CreateSnapshotRequest'), ['sandbox_id'])
  assert.deepEqual(required('ExecRequest'), ['cmd'])
  assert.deepEqual(required('ExecStreamStart'), ['type', 'cmd'])
  assert.deepEqual(required('PtyStart'), ['type', 'cols', 'rows'])
  assert.deepEqual(required('PtyAttach'), ['type', 'pid', 'cols', 'rows'])
})

it('knows the error codes of the platform', () => {
  assert.deepEqual([...serverErrorCodes].sort(), [...errorCodes].sort())
})

/** A client that notes each operation that succeeded, by method and path. */
function recording(options: WrennOptions, reached: Set<string>): Wrenn {
  const note = (method: string, url: string): void => {
    const { pathname } = new URL(url)
    const found = operations.find(
      (operation) => operation.method === method && pattern(operation.path).test(pathname),
    )
    assert.ok(found, `${method} ${pathname}`)
    reached.add(found.id)
  }
  return new Wrenn({
    ...options,
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      if (response.ok) note(init.method ?? '', url)
      return response
    },
    webSocket: (url, { protocols, headers }) => {
      const socket = new WebSocket(url, { protocols, headers })
      socket.addEventListener('open', () => note('GET', url))
      return socket
    },
  })
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', String.raw`\.`)}$`)
}

async function callEverything(client: (options: Partial<WrennOptions>) => Wrenn): Promise<void> {
  const account = { email: 'everything@example.com', password: 'correct horse' }
  const open = client({})
  await open.health()
  await open.contract()
  await open.auth.providers()
  await open.auth.signup(account)
  const { token } = await open.auth.login(account)
  const { apiKeys } = client({ token })
  const { key, id: keyId } = await apiKeys.create()
  await apiKeys.list()

  const ours = client({ apiKey: key })
  await ours.me()
  for await (const _ of ours.events()) break
  const { sandboxes, snapshots } = ours
  const { id } = await sandboxes.create()
  await sandboxes.get(id)
  await sandboxes.list().next()
  await sandboxes.events(id).next()
  await sandboxes.exec(id, { cmd: 'echo' })
  for await (const _ of sandboxes.execStream(id, { cmd: 'echo' }));
  const terminal = sandboxes.pty(id)
  for await (const event of terminal) if (event.type === 'start') terminal.stop()
  await sandboxes.ping(id)
  await sandboxes.files.write(id, '/root/a', 'text')
  await sandboxes.files.writeStream(id, '/root/b', 'text')
  await sandboxes.files.read(id, '/root/a')
  await (await sandboxes.files.readStream(id, '/root/b')).stream.cancel()
  await sandboxes.files.list(id, '/root')
  for await (const _ of sandboxes.files.watch(id, '/root')) break
  await sandboxes.files.stat(id, '/root/a')
  await sandboxes.files.mkdir(id, '/root/folder')
  await sandboxes.files.move(id, '/root/a', '/root/folder/a')
  await sandboxes.files.remove(id, '/root/folder')
  await sandboxes.metrics(id)
  await sandboxes.pause(id)
  await sandboxes.resume(id)
  const { name } = await snapshots.create({ sandbox_id: id })
  await snapshots.list()
  await snapshots.delete(name)
  await sandboxes.destroy(id)
  await apiKeys.delete(keyId)
}
