// A whole platform for a test, as a user starts it: the launcher with a data folder and port of its own, real VMs, real
// Postgres. `remove` ends it whatever its state and fails when anything of it is left on the machine.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { endProcess, instanceId, isAlive, pollUntil, processRef, type ProcessRef } from '@wrenn/base'
import { freePort } from './free-port.ts'
import { leftovers } from './machine.ts'
import { keepGoldens, plantCluster, plantGoldens } from './seed.ts'

const launcherMain = join(import.meta.dirname, '..', '..', 'apps', 'launcher', 'src', 'main.ts')
/** The first start of a data folder boots a VM to make its golden snapshot. */
const readyTimeoutMs = 120_000
const stopTimeoutMs = 60_000

export type ProcessName = 'launcher' | 'postgres' | 'host-agent' | 'control-plane'

export class TestPlatform {
  readonly folder: string
  readonly url: string
  readonly instance: string
  readonly #environment: NodeJS.ProcessEnv
  #launcher: ChildProcess | undefined
  #output = ''

  private constructor(folder: string, port: number, environment: NodeJS.ProcessEnv) {
    this.folder = folder
    this.url = `http://127.0.0.1:${port}`
    this.instance = instanceId(folder)
    this.#environment = {
      ...process.env,
      // Tests and measurements come from one address and one team.
      RATE_LIMITS: 'off',
      // Nothing that a test has left is worth being paused; and no VMs but those that it asks for.
      WRENN_ON_STOP: 'destroy',
      WRENN_POOL_SIZE: '0',
      ...environment,
      WRENN_DIR: folder,
      CP_LISTEN_ADDR: `127.0.0.1:${port}`,
    }
  }

  static async create(environment: NodeJS.ProcessEnv = {}): Promise<TestPlatform> {
    // A short path: unix sockets lie below it.
    const folder = await realpath(await mkdtemp('/tmp/wt-'))
    await plantCluster(join(folder, 'postgres'))
    await plantGoldens(join(folder, 'goldens'))
    return TestPlatform.open(folder, environment)
  }

  /** On a data folder that is there; `remove` removes it. */
  static async open(folder: string, environment: NodeJS.ProcessEnv = {}): Promise<TestPlatform> {
    const platform = new TestPlatform(folder, await freePort(), environment)
    await platform.start()
    return platform
  }

  /** What the launcher has printed since its last start. */
  get output(): string {
    return this.#output
  }

  async start(environment: NodeJS.ProcessEnv = {}): Promise<void> {
    this.#output = ''
    const launcher = spawn(process.execPath, [launcherMain], {
      env: { ...this.#environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    for (const stream of [launcher.stdout, launcher.stderr])
      stream.on('data', (chunk: Buffer) => (this.#output += chunk.toString()))
    this.#launcher = launcher
    const ready = await pollUntil(
      'the platform is ready',
      () => {
        if (launcher.exitCode !== null || launcher.signalCode !== null) return 'ended'
        return this.#output.includes('Wrenn is ready') ? 'ready' : undefined
      },
      { timeoutMs: readyTimeoutMs },
    )
    if (ready === 'ended') throw new Error(`the launcher ended:\n${this.#output}`)
  }

  /** Starts a second launcher on the same folder. Throws with what it printed when it ends instead. */
  async startAnother(): Promise<void> {
    const other = new TestPlatform(this.folder, await freePort(), {})
    await other.start()
    await other.interrupt()
  }

  /** ctrl-C, and wait for the end. */
  async interrupt(): Promise<void> {
    const launcher = this.#launcher
    if (!launcher) return
    launcher.kill('SIGINT')
    await pollUntil('the launcher ends', () => launcher.exitCode ?? undefined, { timeoutMs: stopTimeoutMs })
  }

  /** The process that has this role now. */
  async process(name: ProcessName): Promise<ProcessRef> {
    return pollUntil(
      `${name} runs`,
      async () => {
        const text = await readFile(join(this.folder, 'run', `${name}.pid`), 'utf8')
        const { pid } = JSON.parse(text) as { pid: number }
        return processRef(pid)
      },
      { timeoutMs: 10_000 },
    )
  }

  /** kill -9. Returns when the process is gone. */
  async kill(name: ProcessName): Promise<void> {
    await endProcess(await this.process(name), 0)
  }

  async log(name: Exclude<ProcessName, 'launcher'>): Promise<string> {
    return readFile(join(this.folder, 'logs', `${name}.log`), 'utf8')
  }

  async remove(): Promise<void> {
    const launcher = this.#launcher
    const ref = launcher?.pid === undefined ? undefined : processRef(launcher.pid)
    if (!ref || !isAlive(ref)) {
      // A test that left sandboxes running on purpose: the next start adopts them, and its end destroys them.
      if ((await leftovers(this.instance, this.folder)).length > 0)
        await this.start({ WRENN_ON_STOP: 'destroy' })
    }
    if (this.#launcher?.exitCode === null && this.#launcher.signalCode === null) await this.interrupt()
    const left = await leftovers(this.instance, this.folder)
    await keepGoldens(join(this.folder, 'goldens'))
    await rm(this.folder, { recursive: true, force: true })
    if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}\n${this.#output}`)
  }
}
