// Whether terminals are made for screen readers: what they show is then also text that can be walked through, and new
// output is announced. Kept in this browser, for all terminals.
import { useSyncExternalStore } from 'react'

const storageKey = 'wrenn.terminal.screen-reader'
const listeners = new Set<() => void>()

export function setScreenReaderMode(isOn: boolean): void {
  if (isOn) localStorage.setItem(storageKey, 'on')
  else localStorage.removeItem(storageKey)
  for (const listener of listeners) listener()
}

export function useScreenReaderMode(): boolean {
  return useSyncExternalStore(subscribe, () => localStorage.getItem(storageKey) === 'on')
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
