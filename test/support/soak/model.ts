// What the program that soaks in a guest (guest.py) must hold after any number of steps: the same function of its seed,
// computed here. It can be forked, for sandboxes that go on from one point each in its own way.
import { createHash } from 'node:crypto'

const blockBytes = 4096
export const regions = ['memory', 'disk', 'held', 'deleted'] as const
export type Region = (typeof regions)[number]
const blocks: Record<Region, number> = { memory: 1024, disk: 512, held: 128, deleted: 128 }

interface State {
  n: number
  versions: Record<Region, Uint32Array>
  chains: Record<Region, Buffer>
}

export class SoakModel {
  readonly #seed: string
  readonly #state: State

  constructor(seed: string, state: State = initial()) {
    this.#seed = seed
    this.#state = state
  }

  get steps(): number {
    return this.#state.n
  }

  fork(): SoakModel {
    const { n, versions, chains } = this.#state
    return new SoakModel(this.#seed, { n, versions: structuredClone(versions), chains: { ...chains } })
  }

  /** All steps up to and with `n`. */
  advance(n: number): void {
    while (this.#state.n < n) this.#step()
  }

  /** Of all that was found in the region before it was overwritten. */
  chain(region: Region): string {
    return this.#state.chains[region].toString('hex')
  }

  /** sha256 of the region as it is. */
  digest(region: Region): string {
    const hash = createHash('sha256')
    this.#state.versions[region].forEach((version, index) =>
      hash.update(this.#content(region, index, version)),
    )
    return hash.digest('hex')
  }

  /** sha256 of the numbers of all steps, eight bytes each. */
  journal(): string {
    const numbers = BigUint64Array.from({ length: this.#state.n }, (_none, index) => BigInt(index + 1))
    return createHash('sha256').update(new Uint8Array(numbers.buffer)).digest('hex')
  }

  #step(): void {
    const { versions, chains } = this.#state
    const n = this.#state.n + 1
    const picks = createHash('sha256').update(`${this.#seed}:${n}`).digest()
    for (const [place, region] of regions.entries()) {
      const index = picks.readUInt32LE(place * 4) % blocks[region]
      const version = versions[region][index] ?? 0
      chains[region] = createHash('sha256')
        .update(chains[region])
        .update(this.#content(region, index, version))
        .digest()
      versions[region][index] = version + 1
    }
    this.#state.n = n
  }

  #content(region: Region, index: number, version: number): Buffer {
    if (version % 8 === 0) return zeros
    const line = createHash('sha512').update(`${this.#seed}:${region}:${index}:${version}`).digest()
    return Buffer.alloc(blockBytes, line)
  }
}

const zeros = Buffer.alloc(blockBytes)

function initial(): State {
  return {
    n: 0,
    versions: each((region) => new Uint32Array(blocks[region])),
    chains: each(() => Buffer.alloc(0)),
  }
}

function each<T>(make: (region: Region) => T): Record<Region, T> {
  return {
    memory: make('memory'),
    disk: make('disk'),
    held: make('held'),
    deleted: make('deleted'),
  }
}
