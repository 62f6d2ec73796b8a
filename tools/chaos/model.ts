// What the platform has acknowledged, and so must hold; and what may have happened, because a request broke off or
// failed, and so may hold. Workers write it, the verification reads it.

/** What a sandbox holds: in its memory a word and a process, on its disk files and a log. */
export interface Content {
  /** A word in memory that no other sandbox has. */
  word: string
  /** By path: the possible SHA-256 sums; undefined for a file that is not there. */
  files: Map<string, Set<string | undefined>>
  /** Lines in the order in which they were written. One that is not sure may be there, at any later place. */
  lines: { text: string; sure: boolean }[]
}

export type Status = 'running' | 'paused' | 'gone'

export interface ModelSandbox {
  id: string
  /** All that it may be in. One: that is acknowledged. */
  statuses: Set<Status>
  /** Undefined while it is not known what it holds. */
  content: Content | undefined
}

export interface ModelSnapshot {
  /** All that may stand under the name; undefined: nothing. */
  versions: Set<Content | undefined>
}

export class Model {
  readonly sandboxes = new Map<string, ModelSandbox>()
  readonly snapshots = new Map<string, ModelSnapshot>()
  /** Creates that did not succeed, by what was asked to stand in `metadata`: their sandbox may be there. */
  readonly maybeCreated = new Set<string>()
  /** Pairs of which one holds: the sandbox is as it was, or there is a snapshot of it. */
  readonly maybeSnapshots: { sandbox: ModelSandbox; name: string; content: Content }[] = []
  readonly violations: string[] = []

  violated(what: string): void {
    this.violations.push(`${new Date().toISOString()} ${what}`)
  }
}

export function contentOf(word: string): Content {
  return { word, files: new Map(), lines: [] }
}

/** A copy on which later changes have no effect. */
export function copyOf({ word, files, lines }: Content): Content {
  const copied = new Map([...files].map(([path, sums]) => [path, new Set(sums)] as const))
  return { word, files: copied, lines: lines.map((line) => ({ ...line })) }
}

export function isSurely({ statuses }: ModelSandbox, status: Status): boolean {
  return statuses.size === 1 && statuses.has(status)
}

/** What a sandbox was seen to hold. */
export interface Seen {
  word: string
  sums: ReadonlyMap<string, string>
  lines: readonly string[]
}

/** What of it was lost, or is not what anybody wrote. Empty when all is as it must be. */
export function differences({ word, files, lines }: Content, seen: Seen): string[] {
  const found: string[] = []
  if (seen.word !== word) found.push(`memory holds ${seen.word}, not ${word}`)
  for (const [path, sums] of files) {
    if (sums.has(seen.sums.get(path))) continue
    found.push(`${path} is ${seen.sums.get(path) ?? 'not there'}, not ${[...sums].join(' or ')}`)
  }
  for (const path of seen.sums.keys()) if (!files.has(path)) found.push(`${path} is there, nobody wrote it`)
  return [...found, ...lineDifferences(lines, seen.lines)]
}

function lineDifferences(written: Content['lines'], seen: readonly string[]): string[] {
  const sure = written.filter((line) => line.sure).map(({ text }) => text)
  const isSure = new Set(sure)
  const known = new Set(written.map(({ text }) => text))
  const found = seen.filter((text) => !known.has(text)).map((text) => `line ${text} was written by nobody`)
  if (new Set(seen).size < seen.length) found.push('a line is there twice')
  const kept = seen.filter((text) => isSure.has(text))
  if (kept.join() !== sure.join()) found.push(`of the lines ${sure.join()} there are ${kept.join()}`)
  return found
}
