// The control plane as a process: how it starts, what it says when it cannot, how it ends.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { Api } from '../../../test/support/api.ts'
import { FakeAgent, untilAborted } from '../../../test/support/fake-agent.ts'
import { createPostgres, query, type TestPostgres } from '../../../test/support/postgres.ts'

const main = join(import.meta.dirname, 'main.ts')

interface Started {
  child: ChildProcess
  output: { stdout: string; stderr: string }
  exit: Promise<number | null>
}

describe('the control plane as a process', () => {
  let folder: string
  let postgres: TestPostgres
  let agent: FakeAgent
  let databaseUrl: string
  const started: Started[] = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wrenn-cp-'))
    ;[postgres, agent] = await Promise.all([createPostgres(), FakeAgent.create()])
    databaseUrl = await postgres.database()
  })

  afterEach(async () => {
    for (const { child, exit } of started.splice(0)) {
      child.kill('SIGKILL')
      await exit
    }
    agent.heal()
  })

  after(async () => {
    await agent.remove()
    await postgres.remove()
    await rm(folder, { recursive: true })
  })

  function start(environment: Record<string, string> = {}): Started {
    const child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: databaseUrl,
        WRENN_DIR: folder,
        WRENN_AGENT_SOCKET: agent.socketPath,
        CP_LISTEN_ADDR: '127.0.0.1:0',
        ...environment,
      },
    })
    const output = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
    const exit = new Promise<number | null>((resolve) => {
      child.on('close', resolve)
    })
    started.push({ child, output, exit })
    return { child, output, exit }
  }

  async function listening({ output, child }: Started): Promise<Api> {
    const look = (): string | undefined => {
      if (child.exitCode !== null) throw new Error(`it ended: ${output.stderr}`)
      const line = output.stdout.split('\n').find((text) => text.includes('"op":"listen"'))
      return line === undefined ? undefined : (JSON.parse(line) as { url: string }).url
    }
    return new Api(await pollUntil('it listens', look, { timeoutMs: 60_000 }))
  }

  async function refuses(environment: Record<string, string>, lines: RegExp[]): Promise<void> {
    const { exit, output } = start(environment)
    assert.equal(await exit, 78, output.stderr)
    const said = output.stderr.trim().split('\n')
    assert.equal(said.length, lines.length, output.stderr)
    for (const [at, pattern] of lines.entries()) assert.match(said[at] ?? '', pattern)
  }

  it('migrates, keeps a secret for itself only, serves, and ends on SIGTERM', async () => {
    const first = start()
    const api = await listening(first)
    const { token } = await api.account()
    assert.equal(((await stat(join(folder, 'jwt-secret'))).mode & 0o777).toString(8), '600')
    first.child.kill('SIGTERM')
    assert.equal(await first.exit, 0)
    assert.equal(first.output.stderr, '')
    const again = await listening(start())
    await again.expect(200, 'listAPIKeys', { as: { token } })
  })

  it('logs a line for each request, and no secret', async () => {
    const running = start()
    const api = await listening(running)
    const account = await api.account('logged@example.com')
    const { id } = await api.create(account)
    await api.refused('unauthorized', 'login', {
      body: { email: account.email, password: 'not my password' },
    })
    const broken = { method: 'POST', headers: { 'content-type': 'application/json' } }
    await fetch(`${api.url}/v1/auth/login`, { ...broken, body: '{"password":"broken-secret' })
    running.child.kill('SIGTERM')
    await running.exit
    const lines = running.output.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const create = lines.find(({ op }) => op === 'createSandbox')
    assert.ok(create)
    assert.equal(create['outcome'], 'ok')
    assert.equal(create['sandboxId'], id)
    assert.equal(create['teamId'], account.teamId)
    assert.equal(typeof create['durationMs'], 'number')
    const secret = await readFile(join(folder, 'jwt-secret'), 'utf8')
    const secrets = [
      account.token,
      account.apiKey,
      'correct horse',
      'not my password',
      'broken-secret',
      secret.trim(),
    ]
    for (const text of secrets) assert.ok(!running.output.stdout.includes(text), text)
  })

  it('gives a request in flight its answer after SIGTERM, and accepts no other', async () => {
    const running = start()
    const api = await listening(running)
    const as = await api.account()
    const { id } = await api.create(as)
    const release = new AbortController()
    const earlier = agent.count('exec')
    agent.on('exec', { before: () => untilAborted(release.signal) })
    const exec = api.expect(200, 'execCommand', { as, params: { id }, body: { cmd: 'echo' } })
    await pollUntil('it runs', () => agent.count('exec') > earlier || undefined, { timeoutMs: 5_000 })
    running.child.kill('SIGTERM')
    const refused = (): Promise<true | undefined> =>
      fetch(`${api.url}/health`).then(
        () => undefined,
        () => true,
      )
    await pollUntil('it accepts no more', refused, { timeoutMs: 5_000 })
    release.abort()
    await exec
    assert.equal(await running.exit, 0)
  })

  it('five at once on an empty database all come up', async () => {
    const url = await postgres.database()
    const all = Array.from({ length: 5 }, () => start({ DATABASE_URL: url }))
    await Promise.all(all.map(async (one) => (await listening(one)).expect(200, 'health')))
    const rows = await query<{ count: number }>(url, 'select count(*)::int as count from schema_migrations')
    assert.equal(rows[0]?.count, (await readdir(join(import.meta.dirname, 'store', 'migrations'))).length)
  })

  it('says every mistake in the settings, a line each', async () => {
    await refuses({ CP_LISTEN_ADDR: 'nonsense', JWT_SECRET: 'short', LOG_LEVEL: 'loud' }, [
      /^control-plane: CP_LISTEN_ADDR: must be host:port/,
      /^control-plane: JWT_SECRET: must have at least 32 characters$/,
      /^control-plane: LOG_LEVEL: must be one of/,
    ])
  })

  it('says what is wrong with the settings of OAuth, in a line each', async () => {
    const pair = { OAUTH_GITHUB_CLIENT_ID: 'id', OAUTH_GITHUB_CLIENT_SECRET: 'a secret' }
    const publicUrl = { CP_PUBLIC_URL: 'https://api.example.com' }
    const url = / must be an https:\/\/ URL such as .*, not "/
    const mistakes: [Record<string, string>, RegExp][] = [
      [
        { OAUTH_GITHUB_CLIENT_ID: 'id' },
        /OAUTH_GITHUB_CLIENT_SECRET: is not set although OAUTH_GITHUB_CLIENT_ID is/,
      ],
      [
        { ...publicUrl, OAUTH_GITHUB_CLIENT_SECRET: 'a secret' },
        /OAUTH_GITHUB_CLIENT_ID: is not set although/,
      ],
      [pair, /CP_PUBLIC_URL: is not set, and OAuth needs it/],
      [{ ...pair, CP_PUBLIC_URL: 'api.example.com' }, new RegExp(`CP_PUBLIC_URL:${url.source}`)],
      [{ ...pair, CP_PUBLIC_URL: 'http://api.example.com' }, new RegExp(`CP_PUBLIC_URL:${url.source}`)],
      [
        { ...publicUrl, OAUTH_REDIRECT_URL: 'http://10.0.0.1' },
        new RegExp(`OAUTH_REDIRECT_URL:${url.source}`),
      ],
      [
        { ...pair, ...publicUrl, OAUTH_GITHUB_API_URL: 'x' },
        new RegExp(`OAUTH_GITHUB_API_URL:${url.source}`),
      ],
    ]
    for (const [environment, line] of mistakes)
      await refuses(environment, [new RegExp(`^control-plane: ${line.source}`)])
  })

  it('takes OAuth from its environment', async () => {
    const api = await listening(
      start({
        CP_PUBLIC_URL: 'http://localhost:8080',
        OAUTH_GITHUB_CLIENT_ID: 'the id',
        OAUTH_GITHUB_CLIENT_SECRET: 'a secret',
        OAUTH_GITHUB_BASE_URL: 'https://github.example.com',
      }),
    )
    const { headers } = await api.call('oauthRedirect', { params: { provider: 'github' } })
    const to = new URL(headers.get('location') ?? '')
    assert.equal(to.origin + to.pathname, 'https://github.example.com/login/oauth/authorize')
    const { state: _state, code_challenge: _challenge, ...rest } = Object.fromEntries(to.searchParams)
    assert.deepEqual(rest, {
      client_id: 'the id',
      redirect_uri: 'http://localhost:8080/v1/auth/oauth/github/callback',
      scope: 'read:user user:email',
      code_challenge_method: 'S256',
    })
  })

  it('says when its address is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    await refuses({ CP_LISTEN_ADDR: `127.0.0.1:${port}` }, [
      /^control-plane: CP_LISTEN_ADDR: 127\.0\.0\.1:\d+ is in use/,
    ])
    await new Promise((resolve) => other.close(resolve))
  })

  it('says when the database does not know it', async () => {
    const url = new URL(databaseUrl)
    url.pathname = '/nonsense'
    await refuses({ DATABASE_URL: url.href }, [
      /^control-plane: DATABASE_URL: database "nonsense" does not exist$/,
    ])
  })

  it('says when the kept secret cannot be used', async () => {
    await refuses({ WRENN_DIR: '/dev/null/nonsense' }, [
      /^control-plane: JWT_SECRET: is not set, and .* cannot be used/,
    ])
  })

  it('waits for a database that is still coming up', async () => {
    await postgres.stop()
    const early = start()
    await pollUntil('it waits', () => early.child.pid, { timeoutMs: 5_000 })
    await postgres.start()
    await (await listening(early)).expect(200, 'health')
  })
})
