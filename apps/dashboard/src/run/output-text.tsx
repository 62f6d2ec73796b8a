// The text of an output, following its end unless one has scrolled away from there. stderr is in red, with a line at its
// side for whoever does not see red.
import { memo, useLayoutEffect, useRef, useSyncExternalStore } from 'react'
import { cx } from '../lib/cx.ts'
import { formatBytes } from '../lib/format.ts'
import { plain, type Output, type Piece, type StreamChoice } from './output.ts'

export interface OutputTextProps {
  output: Output
  choice: StreamChoice
  isRunning: boolean
}

/** So near to the end one is at the end: scroll positions are fractions. */
const nearPx = 24

export function OutputText({ output, choice, isRunning }: OutputTextProps) {
  useSyncExternalStore(output.subscribe, output.version)
  const { pieces, earlierLength } = output.tail(choice)
  const box = useRef<HTMLPreElement>(null)
  const isAtEnd = useRef(true)
  useLayoutEffect(() => {
    const element = box.current
    if (element && isAtEnd.current) element.scrollTop = element.scrollHeight
  })
  return (
    <>
      {(earlierLength > 0 || output.droppedLength > 0) && (
        <p className="border-b border-line bg-sunken px-3 py-1.5 text-xs text-muted">
          Only the end is shown: {formatBytes(earlierLength)} came before.
          {output.droppedLength > 0 &&
            ` The first ${formatBytes(output.droppedLength)} are not kept, and not in the download.`}
        </p>
      )}
      <pre
        ref={box}
        tabIndex={0}
        role="region"
        aria-label="What it said"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < nearPx
        }}
        className="max-h-[max(16rem,calc(100dvh-24rem))] min-h-24 overflow-auto px-2 py-2.5 font-mono text-xs leading-relaxed [overflow-wrap:anywhere] whitespace-pre-wrap focus-visible:-outline-offset-2"
      >
        {pieces.map((piece) => (
          <PieceText key={piece.number} piece={piece} />
        ))}
        {pieces.length === 0 && (
          <span className="px-1 font-sans text-muted">{isRunning ? 'Nothing yet.' : 'It said nothing.'}</span>
        )}
      </pre>
    </>
  )
}

const PieceText = memo(({ piece: { stream, text } }: { piece: Piece }) => (
  <span
    className={cx(
      'block border-l-2 pl-2',
      stream === 'stderr' ? 'border-danger text-danger' : 'border-transparent',
    )}
  >
    {plain(text)}
  </span>
))
