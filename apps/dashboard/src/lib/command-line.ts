// A command line, taken apart as a POSIX shell does it (XCU 2.2), but that nothing in it is expanded: there is no shell.

export type CommandLine =
  | {
      ok: true
      words: string[]
      /** What only a shell would give a meaning, unquoted: "|". */ shellSyntax?: string
    }
  | { ok: false; message: string }

/** Operators, expansions and patterns of a shell. */
const special = /[|&;<>()$`*?]/

export function parseCommandLine(text: string): CommandLine {
  const words: string[] = []
  let shellSyntax: string | undefined
  /** Undefined between words. An empty one is a word when it was quoted. */
  let word: string | undefined
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (character === '\\') {
      at += 1
      if (at === text.length) return { ok: false, message: 'A backslash stands at the end' }
      word = (word ?? '') + text.charAt(at)
    } else if (character === "'" || character === '"') {
      const quoted = readQuoted(text, at)
      if (!quoted) return { ok: false, message: `A quote is not closed: ${character}` }
      word = (word ?? '') + quoted.text
      at = quoted.end
    } else {
      if (special.test(character)) shellSyntax ??= character
      word = (word ?? '') + character
    }
  }
  if (word !== undefined) words.push(word)
  return { ok: true, words, ...(shellSyntax === undefined ? {} : { shellSyntax }) }
}

/** `start`: of the opening quote; `end`: of the closing one. */
function readQuoted(text: string, start: number): { text: string; end: number } | undefined {
  const quote = text.charAt(start)
  let result = ''
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === quote) return { text: result, end: at }
    const next = text.charAt(at + 1)
    // Within double quotes a backslash protects only these.
    if (quote === '"' && character === '\\' && next !== '' && '$`"\\'.includes(next)) {
      result += next
      at += 1
    } else result += character
  }
  return undefined
}
