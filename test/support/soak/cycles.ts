// Pause and resume, again and again, each time in another way, and everything verified after each.
import { errorText } from '@wrenn/base'
import type { TestPlatform } from '../real-platform.ts'
import type { User } from '../user.ts'
import { SoakedSandbox } from './soaked-sandbox.ts'

/** Dirtied at once by some of the cycles. */
const bigMib = 100

export interface CycleTimes {
  pauseMs: number[]
  resumeMs: number[]
}

interface Kind {
  what: string
  /** Before the pause: written anew, or zeroed. Pages that were not zeros before are "zero but dirty" then. */
  big?: 'filled' | 'zeroed'
  /** The resume waits until the pause is folded; else it comes at once. */
  folded: boolean
  /** Another pause and resume, each at once. */
  again?: boolean
}

const kinds: readonly Kind[] = [
  { what: 'resumed after the fold', folded: true },
  { what: 'resumed before the fold', folded: false },
  { what: `${bigMib} MiB dirtied, resumed before the fold`, big: 'filled', folded: false },
  { what: `${bigMib} MiB zeroed, resumed after the fold`, big: 'zeroed', folded: true },
  { what: 'paused again right after the resume, both before their folds', folded: false, again: true },
  { what: `${bigMib} MiB dirtied, resumed after the fold`, big: 'filled', folded: true },
  { what: `${bigMib} MiB zeroed, paused twice before any fold`, big: 'zeroed', folded: false, again: true },
]

export interface CycleOptions {
  cycles: number
  vcpus: number
  /** Called after each that was right. */
  onCycle?: (line: string) => void
}

/** Cycles of one new sandbox. Throws at the first that is not right, naming it. */
export async function pauseResumeCycles(
  platform: TestPlatform,
  user: User,
  { cycles, vcpus, onCycle }: CycleOptions,
): Promise<CycleTimes & { worstClockMs: number }> {
  const sandbox = await SoakedSandbox.start(platform, user, { vcpus, bigMib })
  const times: CycleTimes = { pauseMs: [], resumeMs: [] }
  await sandbox.verify()
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const kind = kinds[(cycle - 1) % kinds.length]
    if (!kind) continue
    const what = `cycle ${cycle} of ${sandbox.id}, ${vcpus} vcpu, ${kind.what}`
    try {
      await runCycle(sandbox, kind, { cycle, times })
    } catch (cause) {
      throw new Error(`${what}: ${errorText(cause)}`, { cause })
    }
    const [pauseMs, resumeMs] = [times.pauseMs.at(-1), times.resumeMs.at(-1)].map((ms) => ms?.toFixed(0))
    onCycle?.(`${what}: pause ${pauseMs} ms, resume ${resumeMs} ms`)
  }
  await sandbox.destroy()
  return { ...times, worstClockMs: sandbox.worstClockMs }
}

async function runCycle(
  sandbox: SoakedSandbox,
  kind: Kind,
  { cycle, times }: { cycle: number; times: CycleTimes },
): Promise<void> {
  if (kind.big) await sandbox.fill(kind.big === 'filled' ? cycle : 0)
  for (let time = 0; time < (kind.again ? 2 : 1); time += 1) {
    times.pauseMs.push(await sandbox.pause())
    if (kind.folded) await sandbox.folded()
    times.resumeMs.push(await sandbox.resume())
  }
  await sandbox.verify()
}
