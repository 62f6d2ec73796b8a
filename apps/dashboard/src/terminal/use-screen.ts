// A screen in an element, from when xterm.js is loaded until the element goes.
import { useEffect, useRef, useState, type RefObject } from 'react'
import { useTheme } from '../theme/theme.ts'
import { notify } from '../ui/toasts.tsx'
import { writeClipboard } from '../ui/copy-button.tsx'
import type { Screen } from './screen.ts'

export interface UseScreenOptions {
  isForScreenReaders: boolean
  describedBy: string
}

/** Undefined while it is loading. Throws while rendering when that fails: the page's boundary knows what to do. */
export function useScreen(
  host: RefObject<HTMLElement | null>,
  { isForScreenReaders, describedBy }: UseScreenOptions,
): Screen | undefined {
  const palette = useTheme()
  const [screen, setScreen] = useState<Screen>()
  const [failure, setFailure] = useState<{ error: unknown }>()
  // As they are when it is made; later changes are told to it below.
  const latest = useRef({ palette, isForScreenReaders })
  useEffect(() => {
    latest.current = { palette, isForScreenReaders }
    screen?.setPalette(palette)
    screen?.setForScreenReaders(isForScreenReaders)
  }, [screen, palette, isForScreenReaders])
  useEffect(() => {
    let isOver = false
    let made: Screen | undefined
    const make = async (): Promise<void> => {
      const { Screen } = await import('./screen.ts')
      if (isOver || !host.current) return
      made = new Screen(host.current, { ...latest.current, describedBy })
      made.listen({ copy: copyQuietly })
      setScreen(made)
    }
    make().catch((error: unknown) => setFailure({ error }))
    return () => {
      isOver = true
      made?.close()
      setScreen(undefined)
    }
  }, [host, describedBy])
  if (failure) throw failure.error
  return screen
}

function copyQuietly(text: string): void {
  writeClipboard(text).catch((error: unknown) => notify.failed('Could not copy', error))
}
