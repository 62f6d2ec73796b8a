// The network of an instance: its claim on the machine, the host's rules, and a pool of ready slots, so that a create
// takes one and waits for nothing. A slot is used once: a new one takes its place, and indexes go round, so that neither
// connections nor conntrack entries of a former owner meet the next one.
import { run, type Logger } from '@wrenn/base'
import { blockCidr, slotsPerBlock } from './addresses.ts'
import { claimBlock, type Claim } from './claim.ts'
import { hostResolvers } from './resolvers.ts'
import { hostRules, hostTable } from './rules.ts'
import {
  applySlotRules,
  describeSlot,
  interfacePrefix,
  listNetns,
  makeSlot,
  netnsPrefix,
  removeSlot,
  setSysctl,
  type Slot,
} from './slot.ts'

export interface NetworkOptions {
  instance: string
  dataFolder: string
  /** WRENN_DNS; the host's own resolvers when undefined. */
  dns: readonly string[] | undefined
  readySlots: number
  log: Logger
}

export class Network {
  readonly resolvers: readonly string[]
  readonly #options: NetworkOptions
  readonly #claim: Claim
  readonly #ready: Slot[] = []
  readonly #inUse = new Set<number>()
  readonly #releasing = new Set<Promise<void>>()
  #nextIndex = 0
  #refilling: Promise<void> | undefined
  #closed = false

  /** Slots ready for the next creates, and slots of sandboxes. */
  get slots(): { ready: number; inUse: number } {
    return { ready: this.#ready.length, inUse: this.#inUse.size }
  }

  private constructor(options: NetworkOptions, claim: Claim, resolvers: readonly string[]) {
    this.#options = options
    this.#claim = claim
    this.resolvers = resolvers
  }

  static async open(options: NetworkOptions): Promise<Network> {
    const prefix = interfacePrefix(options.instance)
    const claim = await claimBlock(options.dataFolder, prefix)
    try {
      const resolvers = options.dns ?? (await hostResolvers())
      const range = blockCidr(claim.block)
      const rules = hostRules({ instance: options.instance, prefix, range, resolvers })
      await run('nft', ['-f', '-'], { input: rules })
      await forwardFromUplinks()
      return new Network(options, claim, resolvers)
    } catch (error) {
      await claim.release()
      throw error
    }
  }

  /** Takes back the slot of a VM that was running when the agent stopped. Throws when its namespace is gone. */
  async adopt(index: number): Promise<Slot> {
    const slot = this.#describe(index)
    this.#inUse.add(index)
    try {
      await applySlotRules(slot, this.#slotOptions(index))
      return slot
    } catch (error) {
      this.#inUse.delete(index)
      throw error
    }
  }

  /** Removes every namespace of this instance that no adopted VM lives in, then fills the pool. */
  async sweep(): Promise<string[]> {
    const used = new Set(
      [...this.#inUse, ...this.#ready.map((slot) => slot.index)].map((index) => this.#describe(index).netns),
    )
    const prefix = netnsPrefix(this.#options.instance)
    const orphans = (await listNetns()).filter((name) => name.startsWith(prefix) && !used.has(name))
    for (const name of orphans) await removeSlot(this.#describe(Number(name.slice(prefix.length))))
    return orphans
  }

  async take(): Promise<Slot> {
    if (this.#closed) throw new Error('the network is closed')
    const slot = this.#ready.shift() ?? (await this.#make())
    this.#inUse.add(slot.index)
    void this.refill()
    return slot
  }

  /** Gives a slot back once its VM is gone. */
  release(slot: Slot): Promise<void> {
    const released = removeSlot(slot).then(() => {
      this.#inUse.delete(slot.index)
      void this.refill()
    })
    this.#releasing.add(released)
    const done = (): void => void this.#releasing.delete(released)
    released.then(done, done)
    return released
  }

  /** Makes slots until the pool is full. Failures are logged, and met again by the take that needs the slot. */
  refill(): Promise<void> {
    this.#refilling ??= this.#fill().finally(() => (this.#refilling = undefined))
    return this.#refilling
  }

  /** Removes everything that no VM uses; with no VM left, also the rules and the claim. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#releasing)
    await this.#refilling
    for (const slot of this.#ready.splice(0)) await removeSlot(slot)
    if (this.#inUse.size > 0) return
    await run('nft', ['delete', 'table', 'inet', hostTable(this.#options.instance)])
    await this.#claim.release()
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#ready.length < this.#options.readySlots) {
      try {
        this.#ready.push(await this.#make())
      } catch (error) {
        this.#options.log.error({ op: 'slot.make', outcome: 'failed', err: error })
        return
      }
    }
  }

  async #make(): Promise<Slot> {
    const index = this.#freeIndex()
    this.#inUse.add(index)
    try {
      return await makeSlot(this.#slotOptions(index))
    } finally {
      this.#inUse.delete(index)
    }
  }

  #freeIndex(): number {
    const ready = new Set(this.#ready.map((slot) => slot.index))
    for (let tried = 0; tried < slotsPerBlock; tried++) {
      const index = this.#nextIndex
      this.#nextIndex = (index + 1) % slotsPerBlock
      if (!this.#inUse.has(index) && !ready.has(index)) return index
    }
    throw new Error(`all ${slotsPerBlock} network slots are in use`)
  }

  #describe(index: number): Slot {
    return describeSlot(this.#slotOptions(index))
  }

  #slotOptions(index: number): Parameters<typeof makeSlot>[0] {
    const { block, uid } = this.#claim
    return { instance: this.#options.instance, block, index, uid: uid(index), resolvers: this.resolvers }
  }
}

/** Answers from the internet come in on the default route's device: it must forward them to the slots. */
async function forwardFromUplinks(): Promise<void> {
  const { stdout } = await run('ip', ['-4', '-json', 'route', 'show', 'default'])
  const devices = new Set((JSON.parse(stdout || '[]') as { dev?: string }[]).map((route) => route.dev))
  for (const device of devices) if (device) await setSysctl(`ipv4/conf/${device}/forwarding`, '1')
}
