// For tests: the real envd as a process of this machine, at a loopback address of its own. It gets a token and nothing
// else: with an identity it would set this machine's clock, entropy and name.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError, endProcess, pollUntil, processRef, type ProcessRef } from '@wrenn/base'
import { buildGo } from '@wrenn/images'
import { envdPort } from '../network/addresses.ts'
import { Envd } from './envd.ts'

const cacheDir = process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn'
const source = join(import.meta.dirname, '..', '..', '..', '..', 'guest', 'envd')
const token = 'a token of the tests'

export class LocalEnvd {
  readonly client: Envd
  readonly folder: string
  readonly #process: ChildProcess
  /** Commands that run on when their stream is cut. */
  readonly #commands: ProcessRef[] = []

  private constructor(process: ChildProcess, folder: string, client: Envd) {
    this.#process = process
    this.folder = folder
    this.client = client
  }

  static async start(): Promise<LocalEnvd> {
    const binary = await buildGo(cacheDir, 'envd', source)
    const folder = await mkdtemp(join(tmpdir(), 'wrenn-envd-'))
    const host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`
    const child = spawn(binary, ['serve', '-listen', `${host}:${envdPort}`], { stdio: 'ignore' })
    const envd = new LocalEnvd(child, folder, new Envd(host, token))
    await pollUntil('envd takes its token', () => giveToken(host), { timeoutMs: 10_000 })
    return envd
  }

  /** A command for a shell: tells its pid in a file and sleeps. Ended by `stop`. */
  sleeper(name: string): { script: string; started: () => Promise<ProcessRef> } {
    const file = join(this.folder, name)
    const started = (): Promise<ProcessRef> =>
      pollUntil(
        'the command runs',
        async () => {
          const ref = processRef(Number(await readFile(file, 'utf8')))
          if (ref) this.#commands.push(ref)
          return ref
        },
        { timeoutMs: 10_000 },
      )
    return { script: `echo $$ > ${file}.new && mv ${file}.new ${file}; exec sleep 60`, started }
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    this.client.close(new AppError('agent_error', 'the test is over'))
    const exited = this.#process.exitCode === null && this.#process.signalCode === null
    this.kill()
    if (exited) await once(this.#process, 'exit')
    for (const command of this.#commands) await endProcess(command, 0)
    await rm(this.folder, { recursive: true })
  }
}

async function giveToken(host: string): Promise<true> {
  const body = JSON.stringify({ accessToken: token })
  const headers = { 'content-type': 'application/json', connection: 'close' }
  const { status } = await fetch(`http://${host}:${envdPort}/init`, { method: 'POST', headers, body })
  assert.equal(status, 204)
  return true
}
