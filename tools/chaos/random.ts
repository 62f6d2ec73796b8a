// Randomness that a seed repeats. What it decides is the same in every run with the seed; when things happen is not, so
// that a run is like another with its seed, never equal to it.
import { createCipheriv, createHash } from 'node:crypto'

export class Random {
  readonly seed: string
  #state: number

  constructor(seed: string) {
    this.seed = seed
    this.#state = createHash('sha256').update(seed).digest().readUInt32LE()
  }

  /** Another sequence, the same for the same name. */
  fork(name: string): Random {
    return new Random(`${this.seed}/${name}`)
  }

  /** From 0 up to, but not, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** Both ends included. */
  between(first: number, last: number): number {
    return first + Math.floor(this.next() * (last - first + 1))
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[Math.floor(this.next() * choices.length)]
    if (chosen === undefined) throw new Error('there is nothing to choose from')
    return chosen
  }

  /** One of the names, as often as its weight says. */
  weighted<Name extends string>(weights: Partial<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][]
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) if ((left -= weight) < 0) return name
    throw new Error('there is nothing to choose from')
  }

  bytes(count: number): Buffer {
    const key = createHash('sha256').update(`${this.next()}`).digest().subarray(0, 16)
    return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(count))
  }
}
