// Whether what is shown changes by itself, and the button for when it does not.
import { RotateCw } from 'lucide-react'
import { cx } from '../../../lib/cx.ts'
import { IconButton } from '../../../ui/icon-button.tsx'
import type { Watch } from './use-watch.ts'

export interface LiveStateProps {
  watch: Watch
  isBusy: boolean
  onReload: () => void
}

const words = { connecting: 'Connecting', live: 'Live', off: 'Not live' } as const

export function LiveState({ watch: { state }, isBusy, onReload }: LiveStateProps) {
  return (
    <>
      <span
        className={cx(
          'flex items-center gap-1.5 px-1 text-xs',
          state === 'live' ? 'text-ok' : state === 'off' ? 'text-warn' : 'text-muted',
        )}
      >
        <span aria-hidden className="size-1.5 rounded-full bg-current" />
        {words[state]}
      </span>
      {state === 'off' && (
        <IconButton
          icon={RotateCw}
          label="Reload"
          onClick={onReload}
          {...(isBusy ? { 'aria-busy': true } : {})}
        />
      )}
    </>
  )
}
