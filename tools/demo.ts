// `npm run demo`: the main job against the running platform, each step with its time. Exits with 1 and one clear line
// when an answer is not what it should be, or when nothing runs at the address (CP_LISTEN_ADDR, also from .env).
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

const program = `
primes = [n for n in range(2, 1000) if all(n % d for d in range(2, int(n ** 0.5) + 1))]
with open('/root/primes.txt', 'w') as file:
    print(*primes, sep='\\n', file=file)
print(len(primes), 'primes')
`

class DemoError extends Error {}

interface Execution {
  exit_code: number
  stdout: string
  stderr: string
}

const base = `http://${localAddress()}`

try {
  await demo()
} catch (error) {
  if (!(error instanceof DemoError)) throw error
  console.error(`demo: ${error.message}`)
  process.exitCode = 1
}

async function demo(): Promise<void> {
  const started = performance.now()
  const email = `demo-${randomUUID()}@example.com`
  const { token } = await step('sign up', () =>
    call<{ token: string }>('POST', '/v1/auth/signup', 201, { body: { email, password: randomUUID() } }),
  )
  const { key } = await step('create an API key', () =>
    call<{ key: string }>('POST', '/v1/api-keys', 201, {
      body: { name: 'demo' },
      headers: { authorization: `Bearer ${token}` },
    }),
  )
  const headers = { 'x-api-key': key }
  const { id } = await step('create a sandbox', () =>
    call<{ id: string }>('POST', '/v1/sandboxes', 201, { body: { template: 'minimal' }, headers }),
  )
  const exec = (cmd: string, args: string[], stdin?: string): Promise<Execution> =>
    call<Execution>('POST', `/v1/sandboxes/${id}/exec`, 200, { body: { cmd, args, stdin }, headers })
  try {
    await step('write a program', async () => expectSuccess(await exec('tee', ['/root/primes.py'], program)))
    await step('run it', async () => {
      expect(await exec('python3', ['/root/primes.py']), '168 primes\n')
    })
    await step('read its output', async () => {
      const { stdout } = expectSuccess(await exec('cat', ['/root/primes.txt']))
      const primes = stdout.trim().split('\n')
      if (primes.length === 168 && primes.at(-1) === '997') return
      throw new DemoError(`/root/primes.txt does not hold the primes below 1000: ${JSON.stringify(stdout)}`)
    })
  } finally {
    await step('destroy the sandbox', () => call('DELETE', `/v1/sandboxes/${id}`, 204, { headers }))
  }
  console.log(`all of it: ${Math.round(performance.now() - started)} ms`)
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  console.log(`${name.padEnd(20)} ${String(Math.round(performance.now() - started)).padStart(6)} ms`)
  return result
}

/** The JSON answer. Throws a DemoError when its status is not the one expected. */
async function call<T>(
  method: string,
  path: string,
  status: number,
  options: { body?: unknown; headers: Record<string, string> } | { body: unknown; headers?: undefined },
): Promise<T> {
  const answer = await fetch(`${base}${path}`, {
    method,
    headers: { ...options.headers, ...(options.body ? { 'content-type': 'application/json' } : {}) },
    ...(options.body ? { body: JSON.stringify(options.body) } : {}),
    signal: AbortSignal.timeout(60_000),
  }).catch((cause: unknown) => {
    throw new DemoError(`nothing answers at ${base}: run npm start first, or set CP_LISTEN_ADDR`, { cause })
  })
  const text = await answer.text()
  if (answer.status !== status) {
    throw new DemoError(`${method} ${path} answers ${answer.status} instead of ${status}: ${text}`)
  }
  return (text === '' ? undefined : JSON.parse(text)) as T
}

function expectSuccess(execution: Execution): Execution {
  if (execution.exit_code === 0) return execution
  throw new DemoError(`exit code ${execution.exit_code}: ${execution.stderr}`)
}

function expect(execution: Execution, stdout: string): void {
  if (expectSuccess(execution).stdout === stdout) return
  throw new DemoError(`it printed ${JSON.stringify(execution.stdout)} instead of ${JSON.stringify(stdout)}`)
}

/** The address that the platform listens on, as seen from this machine. */
function localAddress(): string {
  const address = process.env['CP_LISTEN_ADDR'] || settingsFile()['CP_LISTEN_ADDR'] || '127.0.0.1:8080'
  return address.replace(/^(0\.0\.0\.0)?:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')
}

function settingsFile(): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(join(import.meta.dirname, '..', '.env'), 'utf8'))
  } catch {
    return {}
  }
}
