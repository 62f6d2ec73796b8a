// What instances on one machine must share out among themselves: address blocks, and the user ids that go with them.
// A claim is a file in a folder that all instances use. It holds the data folder of its owner and the boot it was made
// in, so that one left by a killed platform is taken over by the same platform, and one from before a reboot, or of a
// data folder that is gone, by anybody.
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { isErrno, pollUntil, readFileIfThere, run } from '@wrenn/base'
import { blockCount, blockRange, overlaps, parseRange, slotsPerBlock, type Range } from './addresses.ts'

const machineClaims = '/run/wrenn/blocks'
/** systemd's UIDS-GIDS.md leaves 0x70000000 and up to nobody in particular. */
const firstUid = 0x70000000
const lockTimeoutMs = 30_000

export interface Claim {
  block: number
  /** The user id that the VM in slot `index` runs under. */
  uid: (index: number) => number
  release: () => Promise<void>
}

/** Throws when every block is claimed by others, or routed to something else. `claims` is the folder of all claims. */
export async function claimBlock(
  dataFolder: string,
  interfacePrefix: string,
  claims = machineClaims,
): Promise<Claim> {
  await mkdir(claims, { recursive: true, mode: 0o755 })
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const mine = `${bootId} ${dataFolder}`
  const routed = await foreignRoutes(interfacePrefix)
  const block = await locked(claims, async () => {
    const own = await findOwn(claims, mine)
    if (own !== undefined) return own
    for (let block = 0; block < blockCount; block++) {
      if (routed.some((route) => overlaps(route, blockRange(block)))) continue
      const owner = await readFileIfThere(join(claims, String(block)))
      if (owner !== undefined && !(await isStale(owner, bootId))) continue
      await writeClaim(join(claims, String(block)), mine)
      return block
    }
    throw new Error(`no free address block: 10.128.0.0/9 is all routed or claimed (${claims})`)
  })
  return {
    block,
    uid: (index) => firstUid + block * slotsPerBlock + index,
    release: () =>
      locked(claims, async () => {
        const path = join(claims, String(block))
        if ((await readFileIfThere(path)) === mine) await rm(path)
      }),
  }
}

/**
 * Only one process on the machine works on the claims at a time. The lock is an abstract unix socket (unix(7)): the
 * kernel gives it back when its holder dies, and it leaves no file.
 */
async function locked<T>(claims: string, work: () => Promise<T>): Promise<T> {
  const lock = createServer()
  const listen = (): Promise<true> =>
    new Promise((resolve, reject) => {
      lock.once('error', reject)
      lock.listen(`\0wrenn claims ${claims}`, () => resolve(true))
    })
  await pollUntil(`the lock of ${claims}`, listen, { timeoutMs: lockTimeoutMs })
  try {
    return await work()
  } finally {
    await new Promise((resolve) => lock.close(resolve))
  }
}

async function findOwn(claims: string, mine: string): Promise<number | undefined> {
  for (const name of await readdir(claims))
    if (/^\d+$/.test(name) && (await readFileIfThere(join(claims, name))) === mine) return Number(name)
  return undefined
}

/** Whole or not at all. */
async function writeClaim(path: string, owner: string): Promise<void> {
  await writeFile(`${path}.new`, owner)
  await rename(`${path}.new`, path)
}

async function isStale(owner: string, bootId: string): Promise<boolean> {
  const [ownerBoot, ...folder] = owner.split(' ')
  if (ownerBoot !== bootId) return true
  try {
    await stat(folder.join(' '))
    return false
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true
    throw error
  }
}

/** Ranges that this machine routes to something other than slots of ours. */
async function foreignRoutes(interfacePrefix: string): Promise<Range[]> {
  const { stdout } = await run('ip', ['-4', '-json', 'route', 'show', 'table', 'all'])
  const routes = JSON.parse(stdout || '[]') as { dst: string; dev?: string }[]
  return routes
    .filter((route) => route.dst !== 'default' && !route.dev?.startsWith(interfacePrefix))
    .map((route) => parseRange(route.dst))
    .filter((range) => !isDefault(range))
}

/** VPNs divide the default route into two halves, which win over it. */
function isDefault({ first, last }: Range): boolean {
  return last - first >= 2 ** 31 - 1
}
