// `npm run demo`: the main job against the running platform, each step with its time. Exits with 1 and one clear line
// when an answer is not what it should be, or when nothing runs at the address (CP_LISTEN_ADDR, also from .env).
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { Wrenn, WrennError, type ExecResult } from '@wrenn/sdk'

const program = `
primes = [n for n in range(2, 1000) if all(n % d for d in range(2, int(n ** 0.5) + 1))]
with open('/root/primes.txt', 'w') as file:
    print(*primes, sep='\\n', file=file)
print(len(primes), 'primes')
`

class DemoError extends Error {}

const baseUrl = `http://${localAddress()}`
const limit = { timeoutMs: 60_000 }

try {
  await demo()
} catch (error) {
  if (!(error instanceof DemoError || error instanceof WrennError)) throw error
  const isNobody = error instanceof WrennError && error.code === 'network_error'
  const text = `nothing answers at ${baseUrl}: run npm start first, or set CP_LISTEN_ADDR`
  console.error(`demo: ${isNobody ? text : error.message}`)
  process.exitCode = 1
}

async function demo(): Promise<void> {
  const started = performance.now()
  const email = `demo-${randomUUID()}@example.com`
  const account = { email, password: randomUUID() }
  const { token } = await step('sign up', () => new Wrenn({ baseUrl }).auth.signup(account, limit))
  const { apiKeys } = new Wrenn({ baseUrl, token })
  const { key } = await step('create an API key', () => apiKeys.create({ name: 'demo' }, limit))
  const { sandboxes } = new Wrenn({ baseUrl, apiKey: key })
  const { id } = await step('create a sandbox', () => sandboxes.create({ template: 'minimal' }, limit))
  try {
    await step('write a program', () => sandboxes.files.write(id, '/root/primes.py', program, limit))
    await step('run it', async () => {
      const ran = await sandboxes.exec(id, { cmd: 'python3', args: ['/root/primes.py'] }, limit)
      expect(ran, '168 primes\n')
    })
    await step('read its output', async () => {
      const output = new TextDecoder().decode(await sandboxes.files.read(id, '/root/primes.txt', limit))
      const primes = output.trim().split('\n')
      if (primes.length === 168 && primes.at(-1) === '997') return
      throw new DemoError(`/root/primes.txt does not hold the primes below 1000: ${JSON.stringify(output)}`)
    })
  } finally {
    await step('destroy the sandbox', () => sandboxes.destroy(id, limit))
  }
  console.log(`all of it: ${Math.round(performance.now() - started)} ms`)
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  console.log(`${name.padEnd(20)} ${String(Math.round(performance.now() - started)).padStart(6)} ms`)
  return result
}

function expect({ exit_code, stdout, stderr }: ExecResult, expected: string): void {
  if (exit_code !== 0) throw new DemoError(`exit code ${exit_code}: ${stderr}`)
  if (stdout === expected) return
  throw new DemoError(`it printed ${JSON.stringify(stdout)} instead of ${JSON.stringify(expected)}`)
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
