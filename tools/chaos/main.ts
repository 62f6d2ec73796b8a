// `npm run chaos -- --minutes N [--seed TEXT] [--workers N]`: a platform of its own under load while its processes are
// killed at random. Prints what was done and what broke; exit code 1 when anything that was acknowledged did not hold.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runChaos } from './run.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    workers: { type: 'string', default: '4' },
  },
})
const [minutes, workers] = [Number(values.minutes), Number(values.workers)]
if (!(minutes >= 0) || !(workers >= 1)) {
  console.error('usage: npm run chaos -- [--minutes N] [--seed TEXT] [--workers N]')
  process.exit(2)
}

console.log(`seed ${values.seed}, ${workers} workers, ${minutes} minutes`)
const say = (line: string): void => console.log(`${new Date().toISOString()} ${line}`)
const { violations, tally } = await runChaos({ seed: values.seed, minutes, workers, say, keepLogs: true })
for (const line of tally.lines()) console.log(line)
for (const violation of violations) console.log(`VIOLATED ${violation}`)
console.log(violations.length === 0 ? 'verdict: everything held' : `verdict: ${violations.length} violations`)
process.exitCode = violations.length === 0 ? 0 : 1
