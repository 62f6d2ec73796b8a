// For tests: all that an agent consists of but its API, with a data folder of its own, real VMs and a real network. A part
// can be replaced by one that fails. `remove` fails when anything is left on the machine.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { createLogger, instanceId, pollUntil } from '@wrenn/base'
import { buildImages } from '@wrenn/images'
import { leftovers } from '../../../../test/support/machine.ts'
import { keepGoldens, plantGoldens } from '../../../../test/support/seed.ts'
import { listNetns } from '../network/slot.ts'
import { openParts } from '../open-parts.ts'
import { unlimited } from './capacity.ts'
import { Goldens } from './goldens.ts'
import type { Parts } from './parts.ts'
import { recover } from './recover.ts'
import { Sandboxes } from './sandboxes.ts'
import { Snapshots } from './snapshots.ts'
import { Templates } from './templates.ts'

/** As small as a guest can be. */
export const size = {
  template: 'minimal',
  vcpus: 1,
  memoryMib: 128,
  timeoutSec: 0,
  onTimeout: 'pause' as const,
}

const readySlots = 2

export class TestHost {
  readonly folder: string
  readonly parts: Parts
  readonly goldens: Goldens
  readonly snapshots: Snapshots
  /** What an earlier agent has left in the folder. */
  found!: Sandboxes

  private constructor(folder: string, parts: Parts) {
    this.folder = folder
    this.parts = parts
    this.goldens = new Goldens(parts)
    this.snapshots = new Snapshots(parts)
  }

  static async folder(): Promise<string> {
    const folder = await realpath(await mkdtemp('/tmp/wa-'))
    await chmod(folder, 0o711)
    return folder
  }

  static async open(existing?: string): Promise<TestHost> {
    const folder = existing ?? (await TestHost.folder())
    const images = await buildImages({ cacheDir: process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn' })
    const config = {
      dataFolder: folder,
      instance: instanceId(folder),
      diskMib: 1024,
      dns: [],
      readySlots,
      poolSize: 0,
      logLevel: 'silent',
      ...unlimited,
    }
    const log = createLogger('test', process.env['TEST_LOG'] ?? 'silent')
    const { parts } = await openParts(config, { images, log, stopping: new AbortController().signal })
    const host = new TestHost(folder, parts)
    await plantGoldens(parts.folders.goldens)
    await host.goldens.open()
    await host.goldens.prepare(size)
    await keepGoldens(parts.folders.goldens)
    host.found = await host.restart()
    return host
  }

  /** The sandboxes of an agent with these parts replaced; `use` replaces the goldens. */
  sandboxes(
    replace: Partial<Parts> = {},
    goldens: Pick<Goldens, 'use'> = this.goldens,
    poolSize = 0,
  ): Sandboxes {
    return new Sandboxes({ ...this.parts, ...replace }, new Templates(goldens, this.snapshots), poolSize)
  }

  /** As `sandboxes`, with snapshots made by the replaced parts too. */
  withSnapshots(replace: Partial<Parts>): Sandboxes {
    const parts = { ...this.parts, ...replace }
    return new Sandboxes(parts, new Templates(this.goldens, new Snapshots(parts)))
  }

  /** What the next agent makes of what the last one left, which is thought to be dead. */
  async restart(replace: Partial<Parts> = {}): Promise<Sandboxes> {
    const parts = { ...this.parts, ...replace }
    await this.snapshots.open()
    const sandboxes = new Sandboxes(parts, new Templates(this.goldens, this.snapshots))
    sandboxes.adopt(await recover(parts, this.snapshots))
    return sandboxes
  }

  /** No VM, no folder, no namespace but those of the pool. */
  async assertNothingLeft(sandboxes: Sandboxes): Promise<void> {
    const { parts } = this
    assert.deepEqual(sandboxes.list(), [])
    assert.deepEqual(await parts.driver.list(parts.folders.sandboxes), [])
    assert.deepEqual(await readdir(parts.folders.sandboxes), [])
    await this.assertNamespaces(0)
  }

  /** So many beside those of the pool. */
  async assertNamespaces(inUse: number): Promise<void> {
    const prefix = `wrenn-${instanceId(this.folder)}-`
    const asExpected = async (): Promise<true | undefined> => {
      await this.parts.network.refill()
      const namespaces = (await listNetns()).filter((name) => name.startsWith(prefix))
      return namespaces.length === readySlots + inUse || undefined
    }
    await pollUntil(`${inUse} namespaces are in use`, asExpected, { timeoutMs: 10_000 })
  }

  /** As an agent that stops: what runs, runs on. */
  async close(): Promise<void> {
    await this.parts.network.close()
    await this.parts.cgroups.close()
  }

  async remove(): Promise<void> {
    await this.close()
    const left = await leftovers(instanceId(this.folder), this.folder)
    await rm(this.folder, { recursive: true })
    assert.deepEqual(left, [])
  }
}

/** The same object with some methods replaced. Private fields need the real one as receiver. */
export function withMethods<T extends object>(real: T, methods: Partial<T>): T {
  return new Proxy(real, {
    get: (target, name) => {
      const own = Reflect.get(Object.hasOwn(methods, name) ? methods : target, name) as unknown
      return typeof own === 'function' ? (own.bind(target) as unknown) : own
    },
  })
}

export const boom = (): never => {
  throw new Error('made to fail')
}
