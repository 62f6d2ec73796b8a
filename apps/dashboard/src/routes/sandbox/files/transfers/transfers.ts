// Uploads and downloads of one sandbox: a few at a time, each with its progress, to be cancelled and tried again. They go
// on when another tab of the sandbox, or another page, is shown. No React: use-transfers.ts is.
import { WrennError, type OnProgress } from '@wrenn/sdk'

type TransferKind = 'upload' | 'download'
export type TransferState = 'waiting' | 'active' | 'done' | 'failed' | 'cancelled'

export interface Transfer {
  readonly id: number
  readonly kind: TransferKind
  /** What is shown: the name, below the folder that was dropped. */
  readonly name: string
  readonly sizeBytes: number
  readonly doneBytes: number
  readonly state: TransferState
  readonly error?: unknown
}

export interface TransferRequest {
  kind: TransferKind
  name: string
  sizeBytes: number
  run: (options: { signal: AbortSignal; onProgress: OnProgress }) => Promise<void>
}

/** Of the six connections that browsers open to a server, two: the rest is for everything else. */
const atOnce = 2
/** Progress comes with each packet. */
const tellEveryMs = 100

export class Transfers {
  readonly #onError: (error: unknown) => void
  readonly #requests = new Map<number, TransferRequest>()
  readonly #running = new Map<number, AbortController>()
  readonly #listeners = new Set<() => void>()
  readonly #all = new Map<number, Transfer>()
  #snapshot: readonly Transfer[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #nextId = 1

  /** `onError`: told of each failure. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** In the order in which they were added. The same list until something changes. */
  get all(): readonly Transfer[] {
    return this.#snapshot
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  add(requests: readonly TransferRequest[]): void {
    for (const request of requests) {
      const id = this.#nextId++
      const { kind, name, sizeBytes } = request
      this.#requests.set(id, request)
      this.#all.set(id, { id, kind, name, sizeBytes, doneBytes: 0, state: 'waiting' })
    }
    this.#proceed()
    this.#tellNow()
  }

  cancel(id: number): void {
    const transfer = this.#all.get(id)
    if (transfer?.state === 'waiting') this.#change(id, { state: 'cancelled' })
    this.#running.get(id)?.abort()
    this.#tellNow()
  }

  cancelAll(): void {
    for (const { id } of this.#all.values()) this.cancel(id)
  }

  /** Those that failed, once more from the start. */
  retryFailed(): void {
    for (const { id, state } of this.#all.values())
      if (state === 'failed') this.#change(id, { state: 'waiting', doneBytes: 0, error: undefined })
    this.#proceed()
    this.#tellNow()
  }

  /** Forgets what has ended. */
  clear(): void {
    for (const { id, state } of this.#all.values())
      if (state !== 'waiting' && state !== 'active') {
        this.#all.delete(id)
        this.#requests.delete(id)
      }
    this.#tellNow()
  }

  #proceed(): void {
    for (const { id, state } of this.#all.values()) {
      if (this.#running.size >= atOnce) return
      if (state === 'waiting') void this.#run(id)
    }
  }

  async #run(id: number): Promise<void> {
    const request = this.#requests.get(id)
    if (!request) return
    const controller = new AbortController()
    this.#running.set(id, controller)
    this.#change(id, { state: 'active' })
    try {
      await request.run({
        signal: controller.signal,
        onProgress: ({ doneBytes }) => this.#change(id, { doneBytes }),
      })
      this.#change(id, { state: 'done', doneBytes: request.sizeBytes })
    } catch (error) {
      const isCancelled = controller.signal.aborted || (error as { name?: unknown }).name === 'AbortError'
      this.#change(id, isCancelled ? { state: 'cancelled' } : { state: 'failed', error })
      if (!isCancelled) this.#onError(error)
      // The session has ended: nothing else will fare better, and all can be tried again.
      if (error instanceof WrennError && error.code === 'unauthorized') this.#failWaiting(error)
    }
    this.#running.delete(id)
    this.#proceed()
    this.#tellNow()
  }

  #failWaiting(error: unknown): void {
    for (const { id, state } of this.#all.values())
      if (state === 'waiting') this.#change(id, { state: 'failed', error })
  }

  #change(id: number, change: Partial<Transfer>): void {
    const transfer = this.#all.get(id)
    if (!transfer) return
    this.#all.set(id, { ...transfer, ...change })
    this.#timer ??= setTimeout(() => this.#tellNow(), tellEveryMs)
  }

  #tellNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#snapshot = [...this.#all.values()]
    for (const listener of this.#listeners) listener()
  }
}
