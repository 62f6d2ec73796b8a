// The keys that are not the shell's. Also what assistive technology says of the terminal's input.
const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

const hints: readonly { keys: string; what: string }[] = [
  { keys: isMac ? '⌘C' : 'Ctrl+Shift+C', what: 'copies' },
  { keys: isMac ? '⌘V' : 'Ctrl+Shift+V', what: 'pastes' },
  { keys: 'Ctrl+Shift+Enter', what: 'leaves the terminal' },
]

export function TerminalHints({ id }: { id: string }) {
  return (
    <p id={id} className="flex flex-wrap gap-x-4 text-xs text-muted">
      {hints.map(({ keys, what }) => (
        <span key={keys}>
          <kbd className="font-mono">{keys}</kbd> {what}
        </span>
      ))}
    </p>
  )
}
