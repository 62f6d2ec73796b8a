// What the tab key and a new line do in a text, as edits of it: the caller replaces `from` to `to` with `insert`, so that
// the text area's own undo knows them. Pure.

export interface Selection {
  start: number
  end: number
}

export interface Edit {
  from: number
  to: number
  insert: string
  /** Afterwards. */
  selection: Selection
}

/** What one step of indentation is in this text: a tab, or as many spaces as the first indented line has (2 to 8). */
export function indentUnit(text: string): string {
  const first = /^(?:\t| {2,8}(?=\S))/m.exec(text)?.[0]
  return first ?? '    '
}

/** Tab: a step more, at the cursor or for all lines that are selected. */
export function indent(text: string, { start, end }: Selection, unit: string): Edit {
  if (!text.slice(start, end).includes('\n')) {
    const at = start + unit.length
    return { from: start, to: end, insert: unit, selection: { start: at, end: at } }
  }
  return editLines(text, { start, end }, (line) => (line === '' ? line : unit + line))
}

/** Shift and tab: a step less, for the line of the cursor or all that are selected. Undefined when there is none. */
export function outdent(text: string, selection: Selection, unit: string): Edit | undefined {
  const shorter = new RegExp(`^(?:\t| {1,${Math.max(unit.length, 1)}})`)
  const edit = editLines(text, selection, (line) => line.replace(shorter, ''))
  return edit.insert === text.slice(edit.from, edit.to) ? undefined : edit
}

/** Enter: the new line begins where the one before it did. */
export function newLine(text: string, { start, end }: Selection): Edit {
  const line = text.slice(lineStart(text, start), start)
  const insert = `\n${/^[ \t]*/.exec(line)?.[0] ?? ''}`
  const at = start + insert.length
  return { from: start, to: end, insert, selection: { start: at, end: at } }
}

function editLines(text: string, { start, end }: Selection, change: (line: string) => string): Edit {
  const from = lineStart(text, start)
  // A selection that ends at the start of a line does not mean that line.
  const last = end > start && text[end - 1] === '\n' ? end - 1 : end
  const next = text.indexOf('\n', last)
  const to = next === -1 ? text.length : next
  const lines = text.slice(from, to).split('\n')
  const changed = lines.map(change)
  const insert = changed.join('\n')
  const firstBy = (changed[0] ?? '').length - (lines[0] ?? '').length
  const by = insert.length - (to - from)
  return {
    from,
    to,
    insert,
    selection: { start: Math.max(from, start + firstBy), end: Math.max(from, end + by) },
  }
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}
