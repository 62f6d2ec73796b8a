// The entries of a folder as they are shown: folders first, then by what was chosen; hidden ones when asked for. Pure.
import type { FileEntry } from '@wrenn/sdk'

export type SortBy = 'name' | 'modified' | 'size'

export interface Arrangement {
  sortBy: SortBy
  showsHidden: boolean
  /** Part of the name, in any case. */
  filter: string
}

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'variant' })

const orders = {
  name: () => 0,
  modified: (a, b) => b.modified_at.localeCompare(a.modified_at),
  size: (a, b) => b.size - a.size,
} as const satisfies Record<SortBy, (a: FileEntry, b: FileEntry) => number>

export function arrange(
  entries: readonly FileEntry[],
  { sortBy, showsHidden, filter }: Arrangement,
): FileEntry[] {
  const wanted = filter.trim().toLowerCase()
  const order = orders[sortBy]
  return entries
    .filter(({ name }) => showsHidden || !name.startsWith('.'))
    .filter(({ name }) => wanted === '' || name.toLowerCase().includes(wanted))
    .sort((a, b) => rank(a) - rank(b) || order(a, b) || byName.compare(a.name, b.name))
}

function rank({ type }: FileEntry): number {
  return type === 'directory' ? 0 : 1
}
