// kill -9 of the platform's processes, one, two or all, and the wait until it serves again.
import { setTimeout as sleep } from 'node:timers/promises'
import { pollUntil } from '@wrenn/base'
import type { ProcessName, TestPlatform } from '../../test/support/real-platform.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'

export type Target = ProcessName | 'everything'

/** The launcher starts these again. */
const supervised = ['host-agent', 'control-plane', 'postgres'] as const satisfies ProcessName[]
export const targets = [...supervised, 'launcher', 'everything'] as const satisfies Target[]
const weights = { 'host-agent': 4, 'control-plane': 3, postgres: 2, launcher: 1, everything: 2 }

const backTimeoutMs = 60_000
/** How often a second process is killed while the first comes back. */
const secondKill = 0.25
const secondAfterMs = 1_500

export class Killer {
  readonly #platform: TestPlatform
  readonly #random: Random
  readonly #tally: Tally

  constructor(platform: TestPlatform, random: Random, tally: Tally) {
    this.#platform = platform
    this.#random = random
    this.#tally = tally
  }

  /** Any of them, at any time within so long. */
  async later(withinMs: number, target: Target = this.#random.weighted(weights)): Promise<void> {
    await sleep(this.#random.between(0, withinMs))
    await this.kill(target)
  }

  /** Returns when the platform serves again. */
  async kill(target: Target): Promise<void> {
    const started = performance.now()
    if (target === 'everything') await this.#killEverything()
    else await this.#platform.kill(target)
    if (target === 'everything' || target === 'launcher') await this.#platform.start()
    else if (this.#random.chance(secondKill)) await this.#killAnother(target)
    await pollUntil(`it serves after a kill of ${target}`, () => this.#serves(), { timeoutMs: backTimeoutMs })
    this.#tally.kill(target, performance.now() - started)
  }

  async #killEverything(): Promise<void> {
    // First, or it would start the others again.
    await this.#platform.kill('launcher')
    await Promise.all(supervised.map((name) => this.#platform.kill(name)))
  }

  async #killAnother(first: ProcessName): Promise<void> {
    await sleep(this.#random.between(0, secondAfterMs))
    const second = this.#random.pick(supervised.filter((name) => name !== first))
    await this.#platform.kill(second)
    this.#tally.kill(`and ${second}`, 0)
  }

  async #serves(): Promise<true | undefined> {
    const { status } = await fetch(`${this.#platform.url}/health`, { signal: AbortSignal.timeout(5_000) })
    return status === 200 ? true : undefined
  }
}
