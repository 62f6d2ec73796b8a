// The output of one command, as it came: all of it, within bounds, and its end, to be shown. A program may write faster
// than anybody reads, and for hours: what is kept is bounded, and those who show it are told at most ten times a second.

export type StreamName = 'stdout' | 'stderr'
export type StreamChoice = StreamName | 'all'

/** Some lines of one stream. It ends within a line only where the other stream goes on, or the line is very long. */
export interface Piece {
  /** Stays with it while it grows. */
  number: number
  stream: StreamName
  text: string
}

export interface Tail {
  pieces: readonly Piece[]
  /** How much there is before them. */
  earlierLength: number
}

/** In characters. A piece is what a browser lays out anew when it grows. */
const maxPiece = 4 * 1_024
/** Every line takes time to lay out, however short, and every piece. */
const maxShown = { characters: 192 * 1_024, lines: 3_000, pieces: 500 }
const maxKept = 64 * 1_024 * 1_024
const tellMs = 100

export class Output {
  readonly #pieces: Piece[] = []
  readonly #listeners = new Set<() => void>()
  #nextNumber = 0
  #keptLength = 0
  #droppedLength = 0
  #version = 0
  #isDueToTell = false

  /** Changes when it has grown: for useSyncExternalStore. */
  readonly version = (): number => this.#version

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Characters that came so long ago that they are not kept any more. */
  get droppedLength(): number {
    return this.#droppedLength
  }

  append(stream: StreamName, text: string): void {
    for (let at = 0; at < text.length;) {
      const end = pieceEnd(text, at)
      this.#add(stream, text.slice(at, end))
      at = end
    }
    while (this.#keptLength > maxKept) {
      const { length } = this.#pieces.shift()?.text ?? ''
      this.#keptLength -= length
      this.#droppedLength += length
    }
    if (this.#isDueToTell) return
    this.#isDueToTell = true
    setTimeout(() => this.#tell(), tellMs)
  }

  /** Whole pieces from the end. */
  tail(choice: StreamChoice): Tail {
    const chosen = this.#chosen(choice)
    let first = chosen.length
    const shown = { characters: 0, lines: 0 }
    const isFull = (): boolean =>
      shown.characters >= maxShown.characters ||
      shown.lines >= maxShown.lines ||
      chosen.length - first >= maxShown.pieces
    while (first > 0 && !isFull()) {
      first -= 1
      const { text = '' } = chosen[first] ?? {}
      shown.characters += text.length
      shown.lines += text.split('\n').length
    }
    const earlierLength = chosen.slice(0, first).reduce((sum, { text }) => sum + text.length, 0)
    return { pieces: chosen.slice(first), earlierLength }
  }

  /** All that is kept. */
  texts(choice: StreamChoice): string[] {
    return this.#chosen(choice).map(({ text }) => text)
  }

  #chosen(choice: StreamChoice): readonly Piece[] {
    return choice === 'all' ? this.#pieces : this.#pieces.filter(({ stream }) => stream === choice)
  }

  #add(stream: StreamName, text: string): void {
    this.#keptLength += text.length
    const last = this.#pieces.at(-1)
    if (last?.stream === stream && last.text.length + text.length <= maxPiece) {
      this.#pieces[this.#pieces.length - 1] = { ...last, text: last.text + text }
      return
    }
    // A line that the last piece has begun goes on in the new one.
    const lineStart = last?.stream === stream ? last.text.lastIndexOf('\n') + 1 : 0
    const begun = last && lineStart > 0 ? last.text.slice(lineStart) : ''
    if (last && begun !== '')
      this.#pieces[this.#pieces.length - 1] = { ...last, text: last.text.slice(0, lineStart) }
    this.#pieces.push({ number: this.#nextNumber, stream, text: begun + text })
    this.#nextNumber += 1
  }

  #tell(): void {
    this.#isDueToTell = false
    this.#version += 1
    for (const listener of this.#listeners) listener()
  }
}

/** After a line, where there is one that ends. */
function pieceEnd(text: string, start: number): number {
  const end = start + maxPiece
  if (end >= text.length) return text.length
  const lineEnd = text.lastIndexOf('\n', end - 1) + 1
  return lineEnd > start ? lineEnd : end
}

/** Colours and cursor movements (ECMA-48), which mean nothing outside a terminal. */
// oxlint-disable-next-line no-control-regex -- that is what is looked for
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])|\r(?=\n)/g

/** As it is shown; what is copied and downloaded is as it came. */
export function plain(text: string): string {
  return text.replaceAll(escapes, '')
}
