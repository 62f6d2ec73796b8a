// The content of a file as text to be edited, and back: every byte that was not edited is saved as it was. What is no
// UTF-8, or has a NUL in it, is no text. Pure.

/** How lines end. Text areas know "\n" only: `crlf` is put back, `mixed` is not. */
export type LineEnds = 'lf' | 'crlf' | 'mixed'

export interface TextContent {
  /** With "\n" alone. A byte order mark stays in it. */
  text: string
  lineEnds: LineEnds
}

/** Undefined when it is not text. */
export function decodeText(bytes: Uint8Array): TextContent | undefined {
  if (bytes.includes(0)) return undefined
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
  return { text: text.replaceAll(/\r\n?/g, '\n'), lineEnds: lineEndsOf(text) }
}

export function encodeText({ text, lineEnds }: TextContent): Uint8Array {
  return new TextEncoder().encode(lineEnds === 'crlf' ? text.replaceAll('\n', '\r\n') : text)
}

function lineEndsOf(text: string): LineEnds {
  const all = text.match(/\r\n?|\n/g) ?? []
  const kinds = new Set(all)
  if (kinds.size === 0 || (kinds.size === 1 && kinds.has('\n'))) return 'lf'
  return kinds.size === 1 && kinds.has('\r\n') ? 'crlf' : 'mixed'
}
