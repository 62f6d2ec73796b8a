// A sandbox in which guest.py runs, and all that is known about it: `verify` fails unless everything in it is as it must be
// and went on from where it stood at the last time.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, pollUntil } from '@wrenn/base'
import { agentRecord } from '../agent-record.ts'
import type { TestPlatform } from '../real-platform.ts'
import type { User } from '../user.ts'
import { regions, SoakModel } from './model.ts'

const program = join(import.meta.dirname, 'guest.py')
const foldTimeoutMs = 60_000
const clockToleranceMs = 500

interface ProcessFacts {
  pid: number
  state: string
  startTime: string
}

interface Report {
  n: number
  broken: string | null
  chains: Record<string, string>
  digests: Record<string, string>
  journal: string
  journalPosition: number
  heldByName: string
  deletedLink: string
  big: { version: number; wrong: number[] }
  process: ProcessFacts
  counter: ProcessFacts & { value: number; localPort: number; connections: number }
}

/** What no two sandboxes have in common, and no sandbox has twice. */
export interface Identity {
  hostname: string
  machineId: string
  token: string
  random: string
  uuid: string
}

/** What a sandbox made from another's snapshot goes on with. */
interface Past {
  model: SoakModel
  bigVersion: number
  last: Report
  seenRandom: Set<string>
}

export class SoakedSandbox {
  readonly id: string
  readonly #platform: TestPlatform
  readonly #user: User
  readonly #past: Past
  /** The most that the guest's clock was seen to be off. */
  worstClockMs = 0

  private constructor(platform: TestPlatform, user: User, { id, past }: { id: string; past: Past }) {
    this.#platform = platform
    this.#user = user
    this.id = id
    this.#past = past
  }

  /** `bigMib`: how much memory `fill` dirties at once. */
  static async start(
    platform: TestPlatform,
    user: User,
    { vcpus, bigMib }: { vcpus: number; bigMib: number },
  ): Promise<SoakedSandbox> {
    const { id } = await user.create({ vcpus, timeout_sec: 0 })
    const seed = randomBytes(8).toString('hex')
    const stdin = await readFile(program, 'utf8')
    await user.run(id, { cmd: 'tee', args: ['/root/soak.py'], stdin })
    await user.sh(id, `python3 /root/soak.py ${seed} ${bigMib}`)
    const last = await firstReport(user, id)
    const past = { model: new SoakModel(seed), bigVersion: 0, last, seenRandom: new Set<string>() }
    return new SoakedSandbox(platform, user, { id, past })
  }

  /** One made from the snapshot `name`, which was taken of this one. */
  async clone(name: string): Promise<SoakedSandbox> {
    const { id } = await this.#user.create({ template: name, timeout_sec: 0 })
    const { model, bigVersion, last, seenRandom } = this.#past
    const past = { model: model.fork(), bigVersion, last, seenRandom: new Set(seenRandom) }
    return new SoakedSandbox(this.#platform, this.#user, { id, past })
  }

  /** Milliseconds until it is paused. */
  pause(): Promise<number> {
    return this.#change('pauseSandbox', 'pause', 'paused')
  }

  /** Milliseconds until it runs. */
  resume(): Promise<number> {
    return this.#change('resumeSandbox', 'resume', 'running')
  }

  /** Becomes a snapshot, and ends with that. */
  async snapshot(name: string): Promise<void> {
    const answer = await this.#user.call('createSnapshot', 'POST', '/v1/snapshots', {
      sandbox_id: this.id,
      name,
    })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
  }

  /** Returns when the pause has left all memory in one file. */
  async folded(): Promise<void> {
    await pollUntil(
      'the delta is folded',
      async () => {
        const { state } = (await agentRecord(this.#platform.folder, this.id)).record
        return state.kind === 'saved' && !state.delta ? true : undefined
      },
      { timeoutMs: foldTimeoutMs },
    )
  }

  /** Writes all of the big memory; version 0 makes it zeros. */
  async fill(version: number): Promise<void> {
    await this.#ask({ fill: version })
    this.#past.bigVersion = version
  }

  /** The clock first: it must be right at once. */
  async verify(): Promise<Identity> {
    await this.#verifyClock()
    const identity = await this.#identity()
    assert.ok(!this.#past.seenRandom.has(identity.random), 'the same random bytes came again')
    this.#past.seenRandom.add(identity.random)
    const report = await this.#ask<Report>({})
    try {
      this.#verifyHashes(report)
    } catch (cause) {
      const wrong = await this.#ask<string[]>({ wrong: true })
      throw new Error(`${errorText(cause)}; wrong blocks: ${wrong.slice(0, 10).join(', ')}`, { cause })
    }
    this.#verifyContinues(report)
    this.#past.last = report
    return identity
  }

  destroy(): Promise<void> {
    return this.#user.destroy(this.id)
  }

  #verifyHashes(report: Report): void {
    const { model, bigVersion } = this.#past
    assert.equal(report.broken, null)
    assert.ok(report.n > model.steps, `it stands at step ${report.n}, and had come to ${model.steps} before`)
    model.advance(report.n)
    for (const region of regions) {
      assert.equal(report.chains[region], model.chain(region), `what was read of ${region} before`)
      assert.equal(report.digests[region], model.digest(region), `what ${region} holds now`)
    }
    assert.equal(report.heldByName, model.digest('held'), 'the open file, by its name')
    assert.equal(report.journal, model.journal(), 'the journal')
    assert.equal(report.journalPosition, report.n * 8, "the open journal's position")
    assert.deepEqual(report.big, { version: bigVersion, wrong: [] })
  }

  #verifyContinues({ process, counter, deletedLink }: Report): void {
    const { last } = this.#past
    const same = ({ pid, startTime }: ProcessFacts): string => `pid ${pid} since ${startTime}`
    assert.equal(same(process), same(last.process))
    assert.equal(same(counter), same(last.counter))
    assert.match(deletedLink, /\(deleted\)$/)
    assert.notEqual(counter.state, 'Z', 'the background process has ended')
    assert.ok(counter.value > last.counter.value, `the counter stands at ${counter.value}`)
    assert.deepEqual(
      [counter.connections, counter.localPort],
      [1, last.counter.localPort],
      'the established connection',
    )
  }

  async #verifyClock(): Promise<void> {
    const sent = Date.now()
    const guestMs = Number(await this.#user.sh(this.id, 'date +%s%N')) / 1e6
    const offMs = Math.max(0, sent - guestMs, guestMs - Date.now())
    this.worstClockMs = Math.max(this.worstClockMs, offMs)
    assert.ok(offMs <= clockToleranceMs, `the clock is ${offMs} ms off`)
  }

  async #identity(): Promise<Identity> {
    const facts = await this.#user.sh(
      this.id,
      'hostname; cat /etc/machine-id; head -c 32 /dev/urandom | od -An -v -tx1 -w32; cat /proc/sys/kernel/random/uuid',
    )
    const [hostname = '', machineId = '', random = '', uuid = ''] = facts.split('\n')
    const { token } = (await agentRecord(this.#platform.folder, this.id)).record
    assert.equal(hostname, this.id)
    return { hostname, machineId, random, uuid, token }
  }

  async #change(operation: string, verb: string, status: string): Promise<number> {
    const started = performance.now()
    const answer = await this.#user.call(operation, 'POST', `/v1/sandboxes/${this.id}/${verb}`)
    const durationMs = performance.now() - started
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.equal((answer.body as { status: string }).status, status)
    return durationMs
  }

  #ask<T = unknown>(request: object): Promise<T> {
    return ask<T>(this.#user, this.id, request)
  }
}

/** Once its second process has connected to it. */
async function firstReport(user: User, id: string): Promise<Report> {
  return pollUntil(
    'the counter counts',
    async () => {
      const report = await ask<Report>(user, id, {})
      return report.counter.value > 0 ? report : undefined
    },
    { timeoutMs: 30_000 },
  )
}

/** Through a connection of its own to the program's socket; by a shell, which is there sooner than Python. */
const askScript = 'exec 3<> /dev/tcp/127.0.0.1/7007 && echo "$0" >&3 && read -r answer <&3 && echo "$answer"'

async function ask<T>(user: User, id: string, request: object): Promise<T> {
  const answer = await user.run(id, { cmd: 'bash', args: ['-c', askScript, JSON.stringify(request)] })
  assert.equal(answer.exit_code, 0, answer.stderr)
  return JSON.parse(answer.stdout ?? '') as T
}
