// One terminal on the page: xterm.js in an element, as large as that. Loaded only when a terminal is opened: everything
// else knows it by its type. What it shows comes from untrusted code: titles and links are handed on as plain text.
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { palettes, type PaletteName } from './palettes.ts'

export interface ScreenSize {
  cols: number
  rows: number
}

export interface ScreenOptions {
  palette: PaletteName
  isForScreenReaders: boolean
  /** Ids of elements that say how to get out by keyboard. */
  describedBy: string
}

/** What happens on it. */
export interface ScreenEvents {
  /** Keys, pastes, and what the terminal answers to programs that ask it. */
  input?: (text: string) => void
  resize?: (size: ScreenSize) => void
  title?: (title: string) => void
  /** The keys that leave it: Tab belongs to the shell. */
  leave?: () => void
  copy?: (text: string) => void
  /** A link that a program has written was pressed. Only http and https. */
  link?: (url: string) => void
}

const scrollbackLines = 5_000
/** What the contract allows. */
const maxSize = 1_000
/** Characters that may wait to be drawn: a few frames' worth, so that Ctrl-C is seen to work at once. */
const maxWaiting = 256 * 1_024

export class Screen {
  readonly #terminal: Terminal
  readonly #fit = new FitAddon()
  readonly #observer: ResizeObserver
  #waiting = 0
  #events: ScreenEvents = {}

  constructor(host: HTMLElement, { palette, isForScreenReaders, describedBy }: ScreenOptions) {
    const { fontFamily } = getComputedStyle(host)
    const terminal = new Terminal({
      fontFamily,
      fontSize: 13,
      lineHeight: 1.2,
      scrollback: scrollbackLines,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      theme: palettes[palette],
      minimumContrastRatio: 4.5,
      screenReaderMode: isForScreenReaders,
      macOptionIsMeta: true,
      linkHandler: { activate: (_event, url) => this.#events.link?.(url) },
    })
    this.#terminal = terminal
    terminal.loadAddon(this.#fit)
    terminal.open(host)
    terminal.textarea?.setAttribute('aria-describedby', describedBy)
    terminal.attachCustomKeyEventHandler((event) => this.#passesKey(event))
    terminal.onData((text) => this.#events.input?.(text))
    terminal.onResize((size) => this.#events.resize?.(size))
    terminal.onTitleChange((title) => this.#events.title?.(title))
    // Also when the tab that it is in is shown: it had no size before.
    this.#observer = new ResizeObserver(() => this.#fitIn())
    this.#observer.observe(host)
    this.#fitIn()
  }

  get size(): ScreenSize {
    const { cols, rows } = this.#terminal
    return { cols, rows }
  }

  /** Each event has one listener: the last that was given. */
  listen(events: ScreenEvents): void {
    Object.assign(this.#events, events)
  }

  /** The promise is there when too much waits to be drawn: write on when it has resolved. */
  write(text: string): Promise<void> | undefined {
    this.#waiting += text.length
    const isDrawn = new Promise<void>((resolve) => {
      this.#terminal.write(text, () => {
        this.#waiting -= text.length
        resolve()
      })
    })
    return this.#waiting > maxWaiting ? isDrawn : undefined
  }

  /** As new: no text, no modes. Also of what was written before and is not drawn yet. */
  clear(): void {
    // RIS: unlike reset(), in its turn.
    this.#terminal.write('\u001bc')
  }

  focus(): void {
    this.#terminal.focus()
  }

  setPalette(palette: PaletteName): void {
    this.#terminal.options.theme = palettes[palette]
  }

  setForScreenReaders(isOn: boolean): void {
    this.#terminal.options.screenReaderMode = isOn
  }

  close(): void {
    this.#events = {}
    this.#observer.disconnect()
    this.#terminal.dispose()
  }

  #fitIn(): void {
    const size = this.#fit.proposeDimensions()
    if (!size || Number.isNaN(size.cols) || Number.isNaN(size.rows)) return
    this.#terminal.resize(Math.min(size.cols, maxSize), Math.min(size.rows, maxSize))
  }

  /** False for keys that are the page's or the browser's. */
  #passesKey(event: KeyboardEvent): boolean {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return true
    switch (event.code) {
      case 'KeyV':
        // The browser pastes, and xterm.js gets the paste.
        return false
      case 'KeyC':
        // Else browsers open their inspector.
        event.preventDefault()
        if (event.type === 'keydown' && this.#terminal.hasSelection())
          this.#events.copy?.(this.#terminal.getSelection())
        return false
      case 'Enter':
        event.preventDefault()
        if (event.type === 'keydown') this.#events.leave?.()
        return false
      default:
        return true
    }
  }
}
