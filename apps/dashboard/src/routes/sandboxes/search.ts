// What the URL of the list says: which sandboxes are shown, and whether one is being created.
import type { Sandbox } from '@wrenn/sdk'

export const listedStatuses = ['running', 'paused', 'pending', 'error'] as const
export type ListedStatus = (typeof listedStatuses)[number]

export interface SandboxesSearch {
  /** Words: each must occur. */
  q?: string
  status?: ListedStatus
  /** The dialog is open, with this template; '' for none in particular. */
  create?: string
}

export function sandboxesSearch(search: Record<string, unknown>): SandboxesSearch {
  const status = listedStatuses.find((each) => each === search['status'])
  const { q, create } = search
  return {
    // A text that looks like a number or a truth value is read as one.
    ...(q === undefined || q === '' ? {} : { q: textOf(q) }),
    ...(status === undefined ? {} : { status }),
    ...(create === undefined || create === false ? {} : { create: create === true ? '' : textOf(create) }),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export function matches(
  sandbox: Sandbox,
  { q = '', status }: Pick<SandboxesSearch, 'q' | 'status'>,
): boolean {
  if (status !== undefined && sandbox.status !== status) return false
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const text = textIn(sandbox)
  return words.every((word) => text.includes(word))
}

/** All of it that is read as words. */
function textIn({ id, status, status_reason: reason, template, metadata }: Sandbox): string {
  const pairs = Object.entries(metadata).map(([key, value]) => `${key}=${value}`)
  return [id, status, reason ?? '', template, ...pairs].join('\n').toLowerCase()
}

/** How many are in each state. */
export function countByStatus(sandboxes: readonly Sandbox[]): Readonly<Record<ListedStatus, number>> {
  const counts = { running: 0, paused: 0, pending: 0, error: 0 }
  for (const { status } of sandboxes) if (status !== 'stopped') counts[status] += 1
  return counts
}
