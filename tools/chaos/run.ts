// A platform of its own under load and kill -9, in rounds: workers and kills at once, then quiet, in which everything
// that was acknowledged must be there, rows and reality agree, and nothing be left that nobody owns.
import { cp, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorText, pollUntil } from '@wrenn/base'
import { Api } from '../../test/support/api.ts'
import { TestPlatform } from '../../test/support/real-platform.ts'
import { Insight } from './agreement.ts'
import { Client, told, type Seat } from './client.ts'
import { strays } from './inventory.ts'
import { Killer, targets, type Target } from './killer.ts'
import { Model } from './model.ts'
import { Random } from './random.ts'
import { Tally } from './tally.ts'
import { Verification } from './verify.ts'
import { Worker } from './worker.ts'

export interface ChaosOptions {
  seed: string
  /** 0: one round, in which each process is killed once, and all at once. */
  minutes: number
  workers: number
  say: (line: string) => void
  /** When something was violated; the folder's path is said. */
  keepLogs?: boolean
}

export interface ChaosResult {
  violations: string[]
  tally: Tally
}

/** What issue 5 promises for rows and reality. */
const agreeWithinMs = 5_000
/** The ready pool and the ready slots are made again after a restart. */
const inventoryTimeoutMs = 60_000
const roundMs = 75_000
const betweenKillsMs = 8_000

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const platform = await TestPlatform.create({ WRENN_POOL_SIZE: '2' })
  const tally = new Tally()
  const model = new Model()
  try {
    const run = new Run(platform, { ...options, tally, model })
    await run.start()
    await run.rounds()
    await run.end()
    if (model.violations.length > 0 && options.keepLogs) {
      const kept = await mkdtemp(join(tmpdir(), 'wrenn-chaos-'))
      await cp(join(platform.folder, 'logs'), kept, { recursive: true })
      options.say(`logs are kept in ${kept}`)
    }
  } finally {
    await platform.remove().catch((error: unknown) => model.violated(errorText(error)))
  }
  return { violations: model.violations, tally }
}

class Run {
  readonly #platform: TestPlatform
  readonly #options: ChaosOptions & { tally: Tally; model: Model }
  readonly #random: Random
  readonly #killer: Killer
  readonly #insight: Insight
  #seat: Seat | undefined
  #workers: Worker[] = []

  constructor(platform: TestPlatform, options: ChaosOptions & { tally: Tally; model: Model }) {
    this.#platform = platform
    this.#options = options
    this.#random = new Random(options.seed)
    this.#killer = new Killer(platform, this.#random.fork('kills'), options.tally)
    this.#insight = new Insight(platform.folder)
  }

  async start(): Promise<void> {
    const { url } = this.#platform
    const { model, tally, workers } = this.#options
    const seat = { model, tally, url, account: await new Api(url).account() }
    this.#seat = seat
    this.#workers = Array.from(
      { length: workers },
      (_, index) => new Worker(`w${index}`, seat, this.#random.fork(`worker ${index}`)),
    )
  }

  async rounds(): Promise<void> {
    const { minutes, say, model, tally } = this.#options
    const deadline = performance.now() + minutes * 60_000
    do {
      await this.#round(minutes > 0)
      say(`${tally.kills} kills, ${model.sandboxes.size} sandboxes, ${model.violations.length} violations`)
    } while (performance.now() < deadline)
  }

  async #round(random: boolean): Promise<void> {
    const quiet = new AbortController()
    const load = Promise.all(this.#workers.map((worker) => worker.run(quiet.signal)))
    load.catch(() => quiet.abort())
    try {
      if (random) await this.#killAtRandom()
      else for (const target of this.#shuffled(targets)) await this.#killer.later(betweenKillsMs / 2, target)
    } finally {
      // The last one finds work half done, too.
      quiet.abort()
    }
    await this.#killer.kill(this.#random.pick(['host-agent', 'control-plane', 'everything']))
    await load
    await this.#settle()
  }

  async #killAtRandom(): Promise<void> {
    const deadline = performance.now() + roundMs
    while (performance.now() < deadline) await this.#killer.later(betweenKillsMs)
  }

  /** Nothing is under way: what holds now, holds. */
  async #settle(): Promise<void> {
    if (!this.#seat) throw new Error('nothing was started')
    await this.#agree('rows and reality')
    await new Verification(this.#seat).run()
    await this.#agree('rows and reality after the verification')
    await this.#empty('the inventory', inventoryTimeoutMs, () => strays(this.#platform, this.#insight))
  }

  /** Deletes all, and looks whether anything is left. */
  async end(): Promise<void> {
    if (!this.#seat) throw new Error('nothing was started')
    const { model } = this.#options
    const client = new Client(this.#seat)
    for (const id of model.sandboxes.keys()) await this.#delete(client, 'destroySandbox', { id })
    for (const name of model.snapshots.keys()) await this.#delete(client, 'deleteSnapshot', { name })
    const rows = `select id from sandboxes where status <> 'stopped' union select id from snapshots where status <> 'abandoned'`
    await this.#empty('after all was deleted', agreeWithinMs, async () => {
      const { agent } = this.#insight
      const left = [await this.#insight.query(rows), await agent.listSandboxes(), await agent.listSnapshots()]
      return left.flat().map((one) => JSON.stringify(one))
    })
    await this.#empty('the last inventory', inventoryTimeoutMs, () => strays(this.#platform, this.#insight))
  }

  async #delete(
    client: Client,
    operation: 'destroySandbox' | 'deleteSnapshot',
    params: Record<string, string>,
  ): Promise<void> {
    const outcome = await client.call(operation, { params })
    if (outcome.status !== 204)
      this.#options.model.violated(`${operation} ${JSON.stringify(params)} at the end: ${told(outcome)}`)
  }

  async #agree(what: string): Promise<void> {
    await this.#empty(what, agreeWithinMs, () => this.#insight.disagreements())
  }

  /** Says how long it took until there were none; a violation for each that stays. */
  async #empty(what: string, timeoutMs: number, find: () => Promise<string[]>): Promise<void> {
    const started = performance.now()
    let found: string[] = []
    const none = async (): Promise<true | undefined> => {
      found = await find()
      return found.length === 0 ? true : undefined
    }
    try {
      await pollUntil(what, none, { timeoutMs, intervalMs: 100 })
      this.#options.say(`${what}: in order after ${((performance.now() - started) / 1000).toFixed(1)} s`)
    } catch (error) {
      if (found.length === 0) throw error
      for (const one of found) this.#options.model.violated(`${what}, ${timeoutMs / 1000} s: ${one}`)
    }
  }

  #shuffled(list: readonly Target[]): Target[] {
    return list
      .map((one) => ({ one, at: this.#random.next() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ one }) => one)
  }
}
