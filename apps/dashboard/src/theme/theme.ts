// Light, dark, or as the system has it. public/early.js sets the first one before anything is painted, from the same
// storage; this goes on from there.
import { useSyncExternalStore } from 'react'

export const themeChoices = ['light', 'dark', 'system'] as const
export type ThemeChoice = (typeof themeChoices)[number]
type Theme = 'light' | 'dark'

const storageKey = 'wrenn.theme'
const systemQuery = matchMedia('(prefers-color-scheme: dark)')
/** Kept: Chromium tells nobody of a change when `matches` is read between the change and its event. */
let systemIsDark = systemQuery.matches
const listeners = new Set<() => void>()
let choice = readChoice()

export function setThemeChoice(next: ThemeChoice): void {
  choice = next
  localStorage.setItem(storageKey, next)
  apply()
}

/** What was chosen. */
export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, () => choice)
}

/** What is shown: for what is not coloured by CSS. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, current)
}

function current(): Theme {
  if (choice !== 'system') return choice
  return systemIsDark ? 'dark' : 'light'
}

function apply(): void {
  document.documentElement.dataset['theme'] = current()
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function readChoice(): ThemeChoice {
  const stored = localStorage.getItem(storageKey)
  return themeChoices.find((each) => each === stored) ?? 'system'
}

systemQuery.addEventListener('change', ({ matches }) => {
  systemIsDark = matches
  apply()
})
// Another tab has chosen.
addEventListener('storage', ({ key }) => {
  if (key !== storageKey) return
  choice = readChoice()
  apply()
})
