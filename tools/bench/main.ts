// `npm run bench -- [runs] [section …]`: how fast we are, beside the floor measured in the same run, alternating, so that
// a noisy machine is as unfair to one as to the other. Starts a platform of its own, without a pool of ready VMs where
// the section does not say otherwise, and removes it. Without names all sections run, in the order below.
import { TestPlatform } from '../../test/support/real-platform.ts'
import { User } from '../../test/support/user.ts'
import { inOneSandbox, type Bench } from './client.ts'
import { manyAtOnce, idleClones } from './clones.ts'
import { outputLatency } from './latency.ts'
import { pauseTimes } from './pause.ts'
import { fromPool, withPool } from './pool.ts'
import { requestsPerSecond } from './requests.ts'
import { resumeTimes } from './resume.ts'
import { oneAfterTheOther, warmExec } from './sandboxes.ts'
import { fromSnapshot } from './snapshots.ts'
import { comparisonLines } from './statistics.ts'
import { transferComparisons } from './transfers.ts'

const sections: Record<string, (bench: Bench) => Promise<string[]>> = {
  create: oneAfterTheOther,
  pool: (bench) => withPool(bench, fromPool),
  snapshot: fromSnapshot,
  pause: pauseTimes,
  resume: resumeTimes,
  exec: warmExec,
  transfers: (bench) =>
    inOneSandbox(bench, async (guest) => comparisonLines(await transferComparisons(bench.user, guest))),
  requests: requestsPerSecond,
  latency: outputLatency,
  many: (bench) => withPool(bench, manyAtOnce),
  clones: idleClones,
}
const minRuns = 20

const { runs, names } = parseArguments(process.argv.slice(2))
const platform = await TestPlatform.create({ LOG_LEVEL: 'info' })
try {
  const accelerator = platform.output.split('\n').find((line) => line.includes('accelerator'))
  console.log(`${accelerator?.trim()}\n\nmilliseconds, where nothing else is said`)
  const user = await User.signUp(platform.url)
  for (const name of names) {
    const lines = await sections[name]?.({ platform, user, runs })
    console.log(`\n${name}\n${lines?.join('\n')}`)
  }
} finally {
  await platform.remove()
}

function parseArguments(given: string[]): { runs: number; names: string[] } {
  const [numbers, words] = [
    given.filter((word) => /^\d+$/.test(word)),
    given.filter((word) => !/^\d+$/.test(word)),
  ]
  const unknown = words.filter((word) => !(word in sections))
  if (unknown.length > 0 || numbers.length > 1) {
    console.error(`usage: npm run bench -- [runs] [${Object.keys(sections).join(' | ')}] …`)
    process.exit(2)
  }
  return {
    runs: Math.max(minRuns, Number(numbers[0] ?? minRuns)),
    names: words.length > 0 ? words : Object.keys(sections),
  }
}
