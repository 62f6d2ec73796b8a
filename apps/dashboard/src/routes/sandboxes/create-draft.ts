// What is being typed into the create dialog, and the request that it makes. Pure.
import type { CreateSandbox, Template } from '@wrenn/sdk'

/** Seconds as the select has them; 'own' for an amount and a unit. */
export const timeoutChoices = ['0', '300', '1800', '3600', '28800', '86400', 'own'] as const
export type TimeoutChoice = (typeof timeoutChoices)[number]

export const unitSeconds = { s: 1, min: 60, h: 3_600, d: 86_400 } as const
export type TimeUnit = keyof typeof unitSeconds

export interface MetadataRow {
  /** Of the row, while it is on the screen. */
  key: number
  name: string
  value: string
}

export interface Draft {
  /** '' until the templates are known. */
  template: string
  vcpus: number | null
  memoryMib: number | null
  timeout: TimeoutChoice
  ownAmount: number | null
  ownUnit: TimeUnit
  onTimeout: 'pause' | 'destroy'
  metadata: readonly MetadataRow[]
}

/** As the contract's defaults, but for the timeout: what somebody has forgotten is paused, and nothing of it is lost. */
export const firstDraft: Draft = {
  template: '',
  vcpus: 1,
  memoryMib: 512,
  timeout: '3600',
  ownAmount: 2,
  ownUnit: 'h',
  onTimeout: 'pause',
  metadata: [],
}

/** Undefined when the amount is missing. */
function timeoutSecOf({ timeout, ownAmount, ownUnit }: Draft): number | undefined {
  if (timeout !== 'own') return Number(timeout)
  return ownAmount === null ? undefined : ownAmount * unitSeconds[ownUnit]
}

/** What is missing, by the field's name in the API; what is wrong is the server's to say. */
export function gapsOf(draft: Draft, template: Template | undefined): Readonly<Record<string, string>> {
  const names = named(draft.metadata).map(({ name }) => name.trim())
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  return {
    ...(draft.template === '' ? { template: 'Choose a template' } : {}),
    ...(template?.type !== 'snapshot' && draft.vcpus === null ? { vcpus: 'Enter a number' } : {}),
    ...(template?.type !== 'snapshot' && draft.memoryMib === null ? { memory_mb: 'Enter a number' } : {}),
    ...(timeoutSecOf(draft) === undefined ? { timeout_sec: 'Enter a number' } : {}),
    ...(names.includes('') ? { metadata: 'A value needs a name' } : {}),
    ...(twice === undefined || twice === '' ? {} : { metadata: `There are two of the name ${twice}` }),
  }
}

/** A snapshot has its size: it is not asked for. */
export function requestOf(draft: Draft, template: Template | undefined): CreateSandbox {
  const { vcpus, memoryMib, onTimeout } = draft
  const timeoutSec = timeoutSecOf(draft) ?? 0
  const isFixed = template?.type === 'snapshot'
  const metadata = Object.fromEntries(named(draft.metadata).map(({ name, value }) => [name.trim(), value]))
  return {
    template: draft.template,
    ...(isFixed || vcpus === null ? {} : { vcpus }),
    ...(isFixed || memoryMib === null ? {} : { memory_mb: memoryMib }),
    ...(timeoutSec === 0 ? {} : { timeout_sec: timeoutSec, on_timeout: onTimeout }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  }
}

/** Rows that nobody has typed into are none. */
function named(rows: readonly MetadataRow[]): readonly MetadataRow[] {
  return rows.filter(({ name, value }) => name.trim() !== '' || value !== '')
}
