// Paths inside a sandbox: absolute, with "/" between names that may be anything else. Pure.

/** The path of `name` in the folder. */
export function joinPath(folder: string, name: string): string {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`
}

/** The folder that a path lies in; of "/" itself, "/". */
export function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at <= 0 ? '/' : path.slice(0, at)
}

/** The last name; of "/", "/". */
export function nameOf(path: string): string {
  return path === '/' ? '/' : path.slice(path.lastIndexOf('/') + 1)
}

/** As written by a person or in a symbolic link, seen from `folder`: absolute, without ".", ".." and doubled slashes. */
export function resolvePath(folder: string, path: string): string {
  const names: string[] = []
  for (const name of (path.startsWith('/') ? path : `${folder}/${path}`).split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return `/${names.join('/')}`
}

/** Every folder on the way, from "/" to the path itself. */
export function pathSteps(path: string): { name: string; path: string }[] {
  const steps = [{ name: '/', path: '/' }]
  for (const name of path.split('/').filter((each) => each !== ''))
    steps.push({ name, path: joinPath(steps.at(-1)?.path ?? '/', name) })
  return steps
}

/** Why this cannot be the name of a file; undefined when it can. Linux takes 255 bytes (NAME_MAX). */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'Enter a name'
  if (name.includes('/')) return 'A name has no / in it'
  if (name === '.' || name === '..') return `“${name}” is no name of its own`
  if (name.includes('\0')) return 'A name has no NUL in it'
  return new TextEncoder().encode(name).length > 255 ? 'A name has at most 255 bytes' : undefined
}

const controlNames: Readonly<Record<string, string>> = {
  '\t': 'TAB',
  '\n': 'LF',
  '\r': 'CR',
  '\u001b': 'ESC',
}

/**
 * A text of a sandbox that shows all of what it is: control characters by name (⟨LF⟩), as those that turn the direction of
 * text or break lines (⟨U+202E⟩), so that no name looks like another's. Their pictures (U+2400) are in few fonts.
 */
export function visibleText(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu,
    (character) => `⟨${controlNames[character] ?? codePoint(character)}⟩`,
  )
}

function codePoint(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}
