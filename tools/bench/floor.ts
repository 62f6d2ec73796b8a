// The floor: what QEMU and envd take by themselves. A VM is resumed from the very files that the platform uses, with slot,
// folder and disk made beforehand, and envd is called directly. No database, no state, no hops.
import { chmod, chown, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, createLogger, instanceId, newId, together } from '@wrenn/base'
import { imagesManifest } from '@wrenn/images'
import { encodeFrame } from '../../apps/host-agent/src/guest/frames.ts'
import { envdPort } from '../../apps/host-agent/src/network/addresses.ts'
import { openParts } from '../../apps/host-agent/src/open-parts.ts'
import { unlimited } from '../../apps/host-agent/src/sandbox/capacity.ts'
import type { SavedTemplate } from '../../apps/host-agent/src/sandbox/saved-template.ts'
import { goldenKey, loadGolden } from '../../apps/host-agent/src/sandbox/golden.ts'
import { freshIdentity } from '../../apps/host-agent/src/sandbox/identity.ts'
import type { Parts } from '../../apps/host-agent/src/sandbox/parts.ts'
import { layout } from '../../apps/host-agent/src/storage/layout.ts'
import { send } from './http.ts'

/** What a VM is resumed from. */
export type Origin = Pick<SavedTemplate, 'machine' | 'saved' | 'disk' | 'token'>

export class Floor {
  readonly #folder: string
  readonly parts: Parts

  private constructor(folder: string, parts: Parts) {
    this.#folder = folder
    this.parts = parts
  }

  /** `platformFolder`: the data folder of a platform, whose templates can be used. */
  static async open(platformFolder: string): Promise<Floor> {
    const folder = await realpath(await mkdtemp('/tmp/wf-'))
    await chmod(folder, 0o711)
    await mkdir(layout(folder).sandboxes, { mode: 0o711 })
    const images = imagesManifest.parse(JSON.parse(await readFile(layout(platformFolder).images, 'utf8')))
    const config = {
      dataFolder: folder,
      instance: instanceId(folder),
      diskMib: 4096,
      dns: [],
      readySlots: 2,
      poolSize: 0,
      logLevel: 'warn',
      ...unlimited,
    }
    const log = createLogger('floor', 'warn')
    const opened = await openParts(config, { images, log, stopping: new AbortController().signal })
    const { goldens, snapshots, rootfs } = layout(platformFolder)
    const folders = { ...opened.parts.folders, goldens, snapshots, rootfs }
    return new Floor(folder, { ...opened.parts, folders })
  }

  /** The platform's golden snapshot of the default size. */
  async golden(): Promise<Origin> {
    const key = goldenKey(this.parts, { template: 'minimal', vcpus: 1, memoryMib: 512 })
    const golden = await loadGolden(this.parts, key)
    if (!golden) throw new Error('the platform has no golden snapshot of the default size')
    return golden
  }

  /**
   * Milliseconds from the spawn of QEMU to envd's first answer, and to the end of a first command. `init`: it becomes a
   * sandbox of its own; else it goes on as it was saved, its clock wrong, and answers with its first command.
   */
  async run(origin: Origin, { init }: { init: boolean }): Promise<{ create: number; firstExec: number }> {
    const { network, storage, driver, connectGuest, folders } = this.parts
    const { machine, saved, disk } = origin
    await network.refill()
    const slot = await network.take()
    const folder = join(folders.sandboxes, newId('sb'))
    await storage.makeFolder(folder, slot.uid)
    await storage.cloneDisk(disk, folder, slot.uid)
    if (saved.memory.kind === 'own') await chown(saved.memory.path, slot.uid, slot.uid)
    await network.refill()
    const identity = freshIdentity('floor')
    const envd = connectGuest(slot.hostIp, origin.token)

    const started = performance.now()
    const vm = await driver.resume({ place: { slot, folder, cgroup: undefined }, machine, saved })
    const begin = init
      ? [(signal: AbortSignal) => envd.init(identity, { timeoutMs: 60_000, thaw: true, signal })]
      : []
    await together([() => vm.run(), ...begin], new AbortController().signal)
    const create = performance.now() - started
    await execDirectly(slot.hostIp, init ? identity.accessToken : origin.token)
    const firstExec = performance.now() - started

    envd.close(new AppError('not_found', 'the run is over'))
    await vm.kill()
    await network.release(slot)
    await storage.removeFolder(folder)
    return { create, firstExec }
  }

  async close(): Promise<void> {
    await this.parts.network.close()
    await this.parts.cgroups.close()
    await rm(this.#folder, { recursive: true })
  }
}

/** `sh -c 'echo hi'`, straight to envd. */
export async function execDirectly(hostIp: string, token: string): Promise<void> {
  await send(`http://${hostIp}:${envdPort}/process.Process/Start`, {
    method: 'POST',
    headers: { 'content-type': 'application/connect+json', 'x-access-token': token },
    body: encodeFrame({ process: { cmd: 'sh', args: ['-c', 'echo hi'] } }),
    expect: 200,
  })
}
