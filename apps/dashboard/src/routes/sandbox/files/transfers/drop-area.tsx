// A place where files and folders are dropped from the desktop. The buttons above do the same for whoever has no mouse.
import { Upload } from 'lucide-react'
import { useEffect, useState, type DragEvent, type ReactNode } from 'react'
import { visibleText } from '../../../../lib/file-paths.ts'
import { notify } from '../../../../ui/toasts.tsx'
import { readDropped, type Dropped } from './dropped.ts'

export interface DropAreaProps {
  path: string
  onDrop: (dropped: Dropped) => void
  children: ReactNode
}

export function DropArea({ path, onDrop, children }: DropAreaProps) {
  const [isOver, setIsOver] = useState(false)
  useEffect(() => {
    for (const type of missed) addEventListener(type, refuse)
    return () => {
      for (const type of missed) removeEventListener(type, refuse)
    }
  }, [])
  const over = (event: DragEvent): void => {
    if (!hasFiles(event)) return
    event.preventDefault()
    event.dataTransfer.dropEffect = 'copy'
    setIsOver(true)
  }
  const leave = ({ currentTarget, relatedTarget }: DragEvent): void => {
    if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) setIsOver(false)
  }
  const drop = (event: DragEvent): void => {
    if (!hasFiles(event)) return
    event.preventDefault()
    setIsOver(false)
    readDropped(event.dataTransfer).then(onDrop, (error: unknown) =>
      notify.failed('What was dropped could not be read', error),
    )
  }
  return (
    <div
      onDragEnter={over}
      onDragOver={over}
      onDragLeave={leave}
      onDrop={drop}
      className="relative flex min-h-64 flex-col gap-3"
    >
      {children}
      {isOver && (
        <div
          aria-hidden
          className="pointer-events-none absolute -inset-2 z-10 flex items-center justify-center rounded-lg border-2 border-dashed border-accent bg-accent-soft opacity-95"
        >
          <span className="flex items-center gap-2 font-medium text-accent">
            <Upload className="size-5" />
            Upload to {visibleText(path)}
          </span>
        </div>
      )}
    </div>
  )
}

function hasFiles({ dataTransfer }: Pick<DragEvent, 'dataTransfer'>): boolean {
  return dataTransfer.types.includes('Files')
}

const missed = ['dragover', 'drop'] as const

/** What misses the area would be opened by the browser, in place of the app. */
function refuse(event: globalThis.DragEvent): void {
  if (event.defaultPrevented || !event.dataTransfer?.types.includes('Files')) return
  event.preventDefault()
  event.dataTransfer.dropEffect = 'none'
}
