// What instances on one machine must share out among themselves: address blocks, and the user ids that go with them.
// A claim is a file in a folder that all instances use; the first to create it has the block. It holds the data folder of
// its owner and the boot it was made in, so that one left by a killed platform is taken over by the same platform, and
// one from before a reboot, or of a data folder that is gone, by anybody.
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, readFileIfThere, run } from '@wrenn/base'
import { blockCount, blockRange, overlaps, parseRange, slotsPerBlock, type Range } from './addresses.ts'

const claimsFolder = '/run/wrenn/blocks'
/** systemd's UIDS-GIDS.md leaves 0x70000000 and up to nobody in particular. */
const firstUid = 0x70000000

export interface Claim {
  block: number
  /** The user id that the VM in slot `index` runs under. */
  uid: (index: number) => number
  release: () => Promise<void>
}

export async function claimBlock(dataFolder: string, interfacePrefix: string): Promise<Claim> {
  await mkdir(claimsFolder, { recursive: true, mode: 0o755 })
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const mine = `${bootId} ${dataFolder}`
  const taken = await foreignRoutes(interfacePrefix)
  const own = await findOwn(mine)
  for (const block of own === undefined ? blocks() : [own]) {
    if (own === undefined && taken.some((route) => overlaps(route, blockRange(block)))) continue
    if (own === undefined && !(await tryClaim(block, mine, bootId))) continue
    return {
      block,
      uid: (index) => firstUid + block * slotsPerBlock + index,
      release: () => rm(claimPath(block), { force: true }),
    }
  }
  throw new Error(`no free address block: 10.128.0.0/9 is all routed or claimed (${claimsFolder})`)
}

function claimPath(block: number): string {
  return join(claimsFolder, String(block))
}

function* blocks(): Generator<number> {
  for (let block = 0; block < blockCount; block++) yield block
}

async function findOwn(mine: string): Promise<number | undefined> {
  for (const block of blocks()) {
    const owner = await readFileIfThere(claimPath(block))
    if (owner === mine) return block
    if (owner === undefined && block > 64) return undefined
  }
  return undefined
}

/** Creates the claim whole (written beside, then linked, which fails if there is one) or not at all. */
async function tryClaim(block: number, mine: string, bootId: string): Promise<boolean> {
  const path = claimPath(block)
  const owner = await readFileIfThere(path)
  if (owner !== undefined) {
    if (!(await isStale(owner, bootId))) return false
    // Whoever renames it away is the one that may try; the others find it gone or renewed.
    try {
      await rename(path, `${path}.stale`)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false
      throw error
    }
    await rm(`${path}.stale`, { force: true })
  }
  const draft = `${path}.${process.pid}`
  await writeFile(draft, mine)
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
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
}
