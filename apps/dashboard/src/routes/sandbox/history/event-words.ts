// What an event of a sandbox says, in words.
import type { SandboxEvent } from '@wrenn/sdk'
import { CircleAlert, CircleStop, Pause, Play, Plus, RotateCw, type LucideIcon } from 'lucide-react'

export interface EventWords {
  title: string
  icon: LucideIcon
  /** A name of app.css, as text-…. */
  colour: string
}

const words = {
  created: { title: 'Created', icon: Plus, colour: 'text-info' },
  started: { title: 'Started', icon: Play, colour: 'text-ok' },
  paused: { title: 'Paused', icon: Pause, colour: 'text-warn' },
  resumed: { title: 'Resumed', icon: RotateCw, colour: 'text-ok' },
  stopped: { title: 'Stopped', icon: CircleStop, colour: 'text-muted' },
  failed: { title: 'Failed', icon: CircleAlert, colour: 'text-danger' },
} as const satisfies Record<SandboxEvent['type'], EventWords>

/** A newer server may know more types: they are shown by their names. */
export function eventWords(type: string): EventWords {
  const known = Object.hasOwn(words, type) ? words[type as SandboxEvent['type']] : undefined
  return known ?? { title: type, icon: RotateCw, colour: 'text-muted' }
}

/** Who did it: "by ada@example.com", "with the API key “ci”". */
export function eventBy({ kind, name, id }: SandboxEvent['by']): string {
  if (kind === 'platform') return 'by Wrenn itself'
  if (kind === 'api_key') return `with the API key “${name ?? id ?? 'unknown'}”`
  return `by ${name ?? id ?? 'a user'}`
}
