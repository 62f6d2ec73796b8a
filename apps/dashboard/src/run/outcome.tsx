// How a command has ended, in a word and in a sentence.
import { Badge, type BadgeTone } from '../ui/badge.tsx'
import type { Outcome } from './history.ts'

interface Words {
  tone: BadgeTone
  short: string
  long: string
}

/** What a shell's codes above 128 mean: signal(7), as x86-64 counts them. */
const signals: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
}

export function wordsOf(outcome: Outcome): Words {
  if (outcome.kind === 'failed') return { tone: 'danger', short: 'failed', long: outcome.message }
  const { exitCode, by } = outcome
  const code = `exit code ${exitCode}`
  if (by === 'stop') return { tone: 'warn', short: 'stopped', long: `Stopped, with ${code}` }
  if (by === 'timeout')
    return { tone: 'warn', short: 'timed out', long: `Stopped at its timeout, with ${code}` }
  if (exitCode === 0) return { tone: 'ok', short: 'exit 0', long: 'Ended with exit code 0' }
  const why = meaningOf(exitCode)
  return { tone: 'danger', short: `exit ${exitCode}`, long: `Ended with ${code}${why && ` (${why})`}` }
}

function meaningOf(exitCode: number): string {
  if (exitCode === 126) return 'it cannot be executed'
  if (exitCode === 127) return 'there is no such command'
  const signal = signals[exitCode - 128]
  return signal === undefined ? '' : `killed by ${signal}`
}

export function OutcomeBadge({ outcome }: { outcome: Outcome }) {
  const { tone, short, long } = wordsOf(outcome)
  return (
    <span title={long}>
      <Badge tone={tone}>{short}</Badge>
    </span>
  )
}

/** "0.24 s", "12.3 s", "2 min 5 s". */
export function durationText(ms: number): string {
  const seconds = ms / 1_000
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
}
