// VMs that are ready before anybody asks: resumed, exercised once, and stopped, for the templates that the last creates
// asked for. A create takes one and has its sandbox in the time of an `/init`. They are made when nothing else is going
// on, given up when memory is short, and never more than configured. One that is taken is like one made for the create:
// identity, clock and entropy come with its `/init`.
import { join } from 'node:path'
import { AppError, newId, UndoStack } from '@wrenn/base'
import { exec } from '../guest/exec.ts'
import { freshIdentity } from './identity.ts'
import type { Parts } from './parts.ts'
import {
  discardVm,
  guestTimeoutMs,
  restore,
  type GuestVm,
  type SandboxSpec,
  type UseTemplate,
} from './sandbox.ts'

export interface PoolOptions {
  /** At most so many VMs; 0: none. */
  size: number
  /** Nobody waits for a VM right now. */
  isQuiet: () => boolean
  use: UseTemplate
}

/** What decides which VM fits a create. */
type Wish = Pick<SandboxSpec, 'template' | 'vcpus' | 'memoryMib' | 'snapshot'>

interface Ready {
  /** Of the template that it was made from. */
  key: string
  wish: Wish
  vm: GuestVm
}

/** After the last create, so that a burst of them has the machine to itself. */
const refillAfterMs = 150
/** Memory that nobody touches may be swapped out, and then the first command is slow. */
const touchEveryMs = 60_000

export class Pool {
  readonly #parts: Parts
  readonly #options: PoolOptions
  #wishes: Wish[] = []
  #ready: Ready[] = []
  #working: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #touchTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor(parts: Parts, options: PoolOptions) {
    this.#parts = parts
    this.#options = options
    if (options.size > 0)
      this.#touchTimer = setInterval(() => this.#queue(() => this.#touchAll()), touchEveryMs).unref()
  }

  get counts(): { size: number; ready: number } {
    return { size: this.#options.size, ready: this.#ready.length }
  }

  /** The pool holds what the last creates asked for: one more did. */
  wish({ template, vcpus, memoryMib, snapshot }: Wish): void {
    const { size } = this.#options
    if (size === 0) return
    this.#wishes = [...this.#wishes, { template, vcpus, memoryMib, snapshot }].slice(-size)
    this.#refillSoon()
  }

  /** Before the first create: the pool is filled with this. */
  expect(wish: Wish): void {
    if (this.#wishes.length > 0) return
    for (let count = 0; count < this.#options.size; count++) this.wish(wish)
  }

  /** A VM whose vcpus stand, made from the template with this key; undefined when none is ready. It is the caller's. */
  take(key: string): GuestVm | undefined {
    const index = this.#ready.findIndex((ready) => ready.key === key)
    if (index < 0) return undefined
    const [taken] = this.#ready.splice(index, 1)
    return taken?.vm
  }

  /** Of one that was taken and not used after all. */
  async giveBack(vm: GuestVm): Promise<void> {
    await discardVm(this.#parts, vm)
    this.#refillSoon()
  }

  /** Its snapshot is deleted: what was made from it is given up. */
  async forget(snapshot: string): Promise<void> {
    this.#wishes = this.#wishes.filter((wish) => wish.snapshot !== snapshot)
    const made = this.#ready.filter(({ wish }) => wish.snapshot === snapshot)
    this.#ready = this.#ready.filter(({ wish }) => wish.snapshot !== snapshot)
    await Promise.all(made.map(({ vm }) => discardVm(this.#parts, vm)))
  }

  /** Gives all of them up: memory is short, or the agent stops. Returns whether there were any. */
  async empty(): Promise<boolean> {
    const ready = this.#ready.splice(0)
    await Promise.all(ready.map(({ vm }) => discardVm(this.#parts, vm)))
    return ready.length > 0
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    clearInterval(this.#touchTimer)
    await this.#working
    await this.empty()
  }

  #refillSoon(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => this.#queue(() => this.#refill()), refillAfterMs).unref()
  }

  #queue(work: () => Promise<void>): void {
    this.#working = this.#working.then(work).catch((err: unknown) => {
      this.#parts.log.warn({ op: 'pool', outcome: 'failed', err })
    })
  }

  async #refill(): Promise<void> {
    for (const { vm } of this.#surplus()) await discardVm(this.#parts, vm)
    for (const wish of this.#missing()) {
      if (this.#closed) return
      if (!this.#options.isQuiet()) return this.#refillSoon()
      if (!(await this.#fits(wish))) return
      try {
        this.#keep(await this.#make(wish))
      } catch (err) {
        // Tried again with the next create, or in a minute. A create that asks for it says why it does not work.
        if (!this.#closed) this.#parts.log.warn({ op: 'pool.make', outcome: 'failed', ...wish, err })
        return
      }
    }
  }

  /** One that ends before it is taken is not handed out. */
  #keep(ready: Ready): void {
    this.#ready.push(ready)
    void ready.vm.vm.exited.then(() => {
      const index = this.#ready.indexOf(ready)
      if (index < 0) return
      this.#ready.splice(index, 1)
      this.#queue(() => discardVm(this.#parts, ready.vm))
      this.#refillSoon()
    })
  }

  /** What is ready and nobody asks for any more, taken out. */
  #surplus(): Ready[] {
    const wishes = [...this.#wishes]
    const [kept, surplus]: [Ready[], Ready[]] = [[], []]
    for (const ready of this.#ready) {
      const index = wishes.findIndex((wish) => isSame(wish, ready.wish))
      if (index >= 0) wishes.splice(index, 1)
      ;(index >= 0 ? kept : surplus).push(ready)
    }
    this.#ready = kept
    return surplus
  }

  #missing(): Wish[] {
    const ready = this.#ready.map(({ wish }) => wish)
    return this.#wishes.filter((wish) => {
      const index = ready.findIndex((other) => isSame(wish, other))
      if (index >= 0) ready.splice(index, 1)
      return index < 0
    })
  }

  /** VMs in the pool are the first to go when memory is short: so they need twice the room. */
  async #fits({ memoryMib }: Wish): Promise<boolean> {
    try {
      await this.#parts.capacity.admit(memoryMib * 2, 0)
      return true
    } catch (error) {
      if (error instanceof AppError && error.code === 'no_capacity') return false
      throw error
    }
  }

  async #make(wish: Wish): Promise<Ready> {
    const parts = this.#parts
    const spec = { ...wish, id: newId('sb'), timeoutSec: 0, onTimeout: 'pause' as const }
    const undo = new UndoStack()
    const signal = parts.stopping
    try {
      return await this.#options.use(
        spec,
        async (template) => {
          const folder = join(parts.folders.sandboxes, spec.id)
          const vm = await restore(template, folder, { parts, undo, signal })
          await vm.vm.run()
          await vm.envd.init(freshIdentity('sandbox'), { timeoutMs: guestTimeoutMs, thaw: true, signal })
          await exercise(vm)
          undo.keep()
          return { key: template.key, wish, vm }
        },
        signal,
      )
    } finally {
      for (const { name, error } of await undo.undoAll())
        parts.log.error({ op: 'pool.undo', step: name, outcome: 'failed', err: error })
    }
  }

  /** Those that do not answer are given up. */
  async #touchAll(): Promise<void> {
    for (const ready of [...this.#ready]) {
      const index = this.#ready.indexOf(ready)
      if (index < 0) continue
      this.#ready.splice(index, 1)
      try {
        await ready.vm.vm.run()
        await exercise(ready.vm)
        this.#ready.push(ready)
      } catch (err) {
        this.#parts.log.warn({ op: 'pool.touch', outcome: 'failed', err })
        await discardVm(this.#parts, ready.vm)
      }
    }
    await this.#refill()
  }
}

/** What the first command of any sandbox needs is translated and in memory then. Its vcpus stand afterwards. */
async function exercise({ vm, envd }: GuestVm): Promise<void> {
  await exec(envd, { cmd: '/bin/sh', args: ['-c', 'true'], timeoutSec: 30 })
  await envd.quiesce({ freeze: false, timeoutMs: 10_000 })
  await vm.stop()
}

function isSame(one: Wish, other: Wish): boolean {
  return (
    one.template === other.template &&
    one.vcpus === other.vcpus &&
    one.memoryMib === other.memoryMib &&
    one.snapshot === other.snapshot
  )
}
