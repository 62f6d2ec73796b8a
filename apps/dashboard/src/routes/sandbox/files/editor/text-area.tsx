// A text area for code: line numbers, and keys that indent. Edits go through the browser, so that its undo knows them.
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { indent, indentUnit, newLine, outdent, type Edit } from '../../../../lib/indent.ts'

export interface CodeAreaProps {
  label: string
  value: string
  onChange: (value: string) => void
  /** Ctrl or Cmd and S. */
  onSave: () => void
}

const hint = 'Tab indents. Escape, then Tab, goes on to the next control.'

export function CodeArea({ label, value, onChange, onSave }: CodeAreaProps) {
  const area = useRef<HTMLTextAreaElement>(null)
  const gutter = useRef<HTMLPreElement>(null)
  // After Escape the tab key moves on, as it does everywhere else (WCAG 2.1.2: no keyboard trap).
  const [tabMoves, setTabMoves] = useState(false)
  const lines = useMemo(() => lineNumbers(value), [value])
  useEffect(() => {
    area.current?.focus({ preventScroll: true })
    area.current?.setSelectionRange(0, 0)
  }, [])
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key === 's') {
      event.preventDefault()
      onSave()
      return
    }
    setTabMoves(event.key === 'Escape')
    const edit = editOf(event, tabMoves)
    if (!edit) return
    event.preventDefault()
    if (edit !== 'nothing') apply(event.currentTarget, edit)
  }
  return (
    <div>
      <div className="flex h-[min(60dvh,48rem)] min-h-60 overflow-hidden rounded-lg border border-line bg-surface font-mono text-xs leading-5 focus-within:border-accent">
        <div className="overflow-hidden border-r border-line bg-sunken text-right text-muted select-none max-sm:hidden">
          <pre ref={gutter} aria-hidden className="px-3 py-2">
            {lines}
          </pre>
        </div>
        <textarea
          ref={area}
          aria-label={label}
          title={hint}
          value={value}
          onChange={({ target }) => onChange(target.value)}
          onKeyDown={onKeyDown}
          onScroll={({ currentTarget }) => {
            if (gutter.current) gutter.current.style.transform = `translateY(${-currentTarget.scrollTop}px)`
          }}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          autoCorrect="off"
          className="min-w-0 flex-1 resize-none overflow-auto bg-transparent px-3 py-2 whitespace-pre [tab-size:4] outline-none"
        />
      </div>
      <p className="mt-1 text-xs text-muted">{hint}</p>
    </div>
  )
}

/** Undefined: the key does what it always does. */
function editOf(event: KeyboardEvent<HTMLTextAreaElement>, tabMoves: boolean): Edit | 'nothing' | undefined {
  const { value, selectionStart: start, selectionEnd: end } = event.currentTarget
  if (event.ctrlKey || event.metaKey || event.altKey || event.nativeEvent.isComposing) return undefined
  if (event.key === 'Tab' && !tabMoves) {
    const unit = indentUnit(value)
    if (!event.shiftKey) return indent(value, { start, end }, unit)
    return outdent(value, { start, end }, unit) ?? 'nothing'
  }
  return event.key === 'Enter' && !event.shiftKey ? newLine(value, { start, end }) : undefined
}

/** The one way of editing a text area that its undo takes part in; deprecated, and without a successor. */
function apply(area: HTMLTextAreaElement, { from, to, insert, selection }: Edit): void {
  area.setSelectionRange(from, to)
  const command = insert === '' ? 'delete' : 'insertText'
  document.execCommand(command, false, insert)
  area.setSelectionRange(selection.start, selection.end)
}

function lineNumbers(text: string): string {
  let count = 1
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1
  return Array.from({ length: count }, (_, line) => line + 1).join('\n')
}
