// What a worker does in a sandbox that runs: commands and uploads, each written down before it is sent, and made sure when
// it was acknowledged; and reads, which must find all that was.
import { createHash } from 'node:crypto'
import { describe, isRefused, type Client, type Outcome } from './client.ts'
import { append, fileFolder, look } from './guest.ts'
import { differences, isSurely, type Content, type Model, type ModelSandbox } from './model.ts'
import type { Random } from './random.ts'

/** An upload takes a while then, so that kills meet it half-way. */
const largestUploadBytes = 6_000_000

export interface Held {
  sandbox: ModelSandbox
  content: Content
}

export class Uses {
  readonly #model: Model
  readonly #client: Client
  readonly #random: Random
  readonly #newWord: () => string

  constructor(model: Model, client: Client, options: { random: Random; newWord: () => string }) {
    this.#model = model
    this.#client = client
    this.#random = options.random
    this.#newWord = options.newWord
  }

  async append({ sandbox, content }: Held): Promise<void> {
    const line = { text: this.#newWord(), sure: false }
    content.lines.push(line)
    const outcome = await append(this.#client, sandbox.id, line.text)
    line.sure = this.#done(outcome, sandbox.id, 'append')
  }

  async upload(held: Held): Promise<void> {
    const path = await this.write(held)
    if (path === undefined) return
    const { sandbox, content } = held
    const outcome = await this.#client.sumOf(sandbox.id, path)
    if (outcome.status !== 200) return void this.#done(outcome, sandbox.id, 'read')
    if (content.files.get(path)?.has(outcome.body)) return
    this.#model.violated(`${sandbox.id}: ${path} reads back as ${outcome.body}`)
  }

  /** The path, when it was acknowledged. A path of which it is not known what it holds is not written again. */
  async write({ sandbox, content }: Held): Promise<string | undefined> {
    const sure = [...content.files].filter(([, sums]) => sums.size === 1).map(([path]) => path)
    const again = sure.length > 3 || (sure.length > 0 && this.#random.chance(0.4))
    const path = again ? this.#random.pick(sure) : `${fileFolder}/${this.#newWord()}`
    const size = Math.ceil(this.#random.next() ** 4 * largestUploadBytes)
    const bytes = this.#random.bytes(size)
    const sum = createHash('sha256').update(bytes).digest('hex')
    const before = content.files.get(path) ?? new Set([undefined])
    content.files.set(path, new Set([...before, sum]))
    const isPausing = !isSurely(sandbox, 'running')
    const body = new FormData()
    body.set('path', path)
    body.set('file', new Blob([new Uint8Array(bytes)]))
    const outcome = await this.#client.call('uploadFile', { params: { id: sandbox.id }, body })
    if (outcome.status >= 200 && outcome.status < 300) {
      content.files.set(path, new Set([sum]))
      return path
    }
    if (!isPausing) this.#done(outcome, sandbox.id, 'upload')
    return undefined
  }

  async check({ sandbox, content }: Held): Promise<void> {
    const outcome = await look(this.#client, sandbox.id)
    if (!this.#done(outcome, sandbox.id, 'look') || !outcome.seen) return
    for (const difference of differences(content, outcome.seen))
      this.#model.violated(`${sandbox.id}: ${difference}`)
  }

  async ping({ sandbox: { id } }: Held): Promise<void> {
    this.#done(await this.#client.call('pingSandbox', { params: { id } }), id, 'ping')
  }

  #done(outcome: Outcome, id: string, what: string): boolean {
    return isDone(this.#model, outcome, { id, what })
  }
}

/** True when it was done. A refusal is a fault: the sandbox is known to run. */
export function isDone(model: Model, outcome: Outcome, { id, what }: { id: string; what: string }): boolean {
  if (isRefused(outcome)) model.violated(`${id} runs, but ${what}: ${describe(outcome)}`)
  const exitCode = (outcome.body as { exit_code?: number } | undefined)?.exit_code ?? 0
  if (outcome.status === 200 && exitCode !== 0) model.violated(`${id}: ${what}: ${describe(outcome)}`)
  return outcome.status >= 200 && outcome.status < 300 && exitCode === 0
}
