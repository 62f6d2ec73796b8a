// One client under fire: it does one thing after the other with sandboxes and snapshots of its own, and writes down what
// was acknowledged. Whatever broke off is settled at once, or left open for the verification; never guessed.
import { setTimeout as sleep } from 'node:timers/promises'
import type { PublicSchemas } from '@wrenn/contract'
import { Client, describe, isRefused, type Seat } from './client.ts'
import { begin, look, rename } from './guest.ts'
import {
  contentOf,
  copyOf,
  differences,
  isSurely,
  type Content,
  type Model,
  type ModelSandbox,
} from './model.ts'
import type { Random } from './random.ts'
import { isDone, Uses, type Held } from './uses.ts'

type Sandbox = PublicSchemas['Sandbox'] & { id: string }

const maxSandboxes = 3
const maxSnapshots = 2
const settleTimeoutMs = 90_000
const retryPauseMs = 250

export class Worker {
  readonly #name: string
  readonly #model: Model
  readonly #random: Random
  readonly #client: Client
  readonly #uses: Uses
  #held: Held[] = []
  /** Names of snapshots of which it is known what they are. */
  #snapshots: string[] = []
  #count = 0
  #stop = new AbortController()

  constructor(name: string, seat: Seat, random: Random) {
    this.#name = name
    this.#model = seat.model
    this.#random = random
    this.#client = new Client(seat)
    this.#uses = new Uses(seat.model, this.#client, { random, newWord: () => this.#word() })
  }

  /** Returns when nothing of it is under way. */
  async run(signal: AbortSignal): Promise<void> {
    this.#stop = new AbortController()
    signal.addEventListener('abort', () => this.#stop.abort(), { once: true })
    this.#takeUp()
    while (!signal.aborted) {
      await this.#step()
      if (this.#client.isDown) await this.#pause()
    }
  }

  /** What was open at the end of the last run is known by now. */
  #takeUp(): void {
    const isOwn = (word: string): boolean => word.startsWith(`${this.#name}-`)
    this.#held = [...this.#model.sandboxes.values()].flatMap((sandbox) => {
      const { content } = sandbox
      return content && isOwn(content.word) && !isSurely(sandbox, 'gone') ? [{ sandbox, content }] : []
    })
    this.#snapshots = [...this.#model.snapshots.keys()].filter((name) => isOwn(name.slice('of-'.length)))
  }

  async #step(): Promise<void> {
    const room = this.#held.length < maxSandboxes
    const action = this.#random.weighted({
      ...(room ? { create: 4 } : {}),
      ...(room && this.#snapshots.length > 0 ? { createFrom: 4 } : {}),
      ...(this.#held.length > 0 ? { use: 20, destroy: 1 } : {}),
      ...(this.#held.length > 1 ? { snapshot: 4 } : {}),
      ...(this.#snapshots.length > 0 ? { deleteSnapshot: 1 } : {}),
    })
    if (action === 'create') return this.#create()
    if (action === 'createFrom') return this.#createFrom(this.#random.pick(this.#snapshots))
    if (action === 'deleteSnapshot') return this.#deleteSnapshot(this.#random.pick(this.#snapshots))
    const held = this.#random.pick(this.#held)
    if (action === 'destroy') return this.#destroy(held)
    if (action === 'snapshot') return this.#snapshot(held)
    return this.#use(held)
  }

  #use(held: Held): Promise<void> {
    if (isSurely(held.sandbox, 'paused')) return this.#change(held, 'resumeSandbox')
    const action = this.#random.weighted({ append: 5, upload: 5, check: 2, pause: 4, ping: 1, both: 2 })
    if (action === 'append') return this.#uses.append(held)
    if (action === 'upload') return this.#uses.upload(held)
    if (action === 'check') return this.#uses.check(held)
    if (action === 'pause') return this.#change(held, 'pauseSandbox')
    if (action === 'ping') return this.#uses.ping(held)
    return this.#uploadAndPause(held)
  }

  async #create(): Promise<void> {
    const made = await this.#made({})
    if (!made) return
    const word = this.#word()
    const content = contentOf(word)
    const outcome = await begin(this.#client, made.id, word)
    if (isDone(this.#model, outcome, { id: made.id, what: 'exec' })) this.#hold(made, content)
  }

  async #createFrom(name: string): Promise<void> {
    const snapshot = this.#model.snapshots.get(name)
    if (!snapshot) return
    const made = await this.#made({ template: name })
    if (!made) return
    const outcome = await look(this.#client, made.id)
    if (!isDone(this.#model, outcome, { id: made.id, what: 'look' }) || !outcome.seen) return
    const { seen } = outcome
    const version = [...snapshot.versions].find((one) => one?.word === seen.word)
    if (!version) return this.#model.violated(`${made.id} of ${name} holds ${seen.word}, which is no version`)
    for (const difference of differences(version, seen))
      this.#model.violated(`${made.id} of ${name}: ${difference}`)
    const word = this.#word()
    const renamed = await rename(this.#client, made.id, word)
    if (isDone(this.#model, renamed, { id: made.id, what: 'rename' }))
      this.#hold(made, { ...copyOf(version), word })
  }

  /** A sandbox of which nobody knows yet what it holds. With a key, a create that broke off is tried again. */
  async #made(body: object): Promise<ModelSandbox | undefined> {
    const attempt = this.#word()
    const key = this.#random.chance(0.5) ? attempt : undefined
    const call = {
      body: { ...body, metadata: { attempt } },
      headers: key === undefined ? {} : { 'idempotency-key': key },
    }
    this.#model.maybeCreated.add(attempt)
    const deadline = performance.now() + settleTimeoutMs
    for (;;) {
      const outcome = await this.#client.call<Sandbox>('createSandbox', call)
      if (outcome.status === 201) {
        this.#model.maybeCreated.delete(attempt)
        const sandbox = { id: outcome.body.id, statuses: new Set(['running' as const]), content: undefined }
        this.#model.sandboxes.set(sandbox.id, sandbox)
        return sandbox
      }
      if (isRefused(outcome)) {
        this.#model.violated(`a create was refused: ${describe(outcome)}`)
        return undefined
      }
      if (key === undefined || performance.now() > deadline || !(await this.#pause())) return undefined
    }
  }

  #hold(sandbox: ModelSandbox, content: Content): void {
    sandbox.content = content
    this.#held.push({ sandbox, content })
  }

  /** Either comes first; whatever was acknowledged holds. */
  async #uploadAndPause(held: Held): Promise<void> {
    held.sandbox.statuses.add('paused')
    await Promise.all([this.#uses.write(held), this.#change(held, 'pauseSandbox')])
  }

  async #change(held: Held, operation: 'pauseSandbox' | 'resumeSandbox'): Promise<void> {
    const { sandbox } = held
    const [to, from] =
      operation === 'pauseSandbox' ? (['paused', 'running'] as const) : (['running', 'paused'] as const)
    sandbox.statuses = new Set([from, to])
    const outcome = await this.#client.call<Sandbox>(operation, { params: { id: sandbox.id } })
    if (outcome.status === 200) {
      if (outcome.body.status !== to)
        this.#model.violated(`${sandbox.id}: ${operation}: ${describe(outcome)}`)
      sandbox.statuses = new Set([to])
      return
    }
    if (isRefused(outcome))
      this.#model.violated(`${sandbox.id} was ${from}, but ${operation}: ${describe(outcome)}`)
    await this.#settle(held)
  }

  /** A change broke off: it runs, or a resume makes it run; there is nothing between. */
  async #settle(held: Held): Promise<void> {
    const { sandbox } = held
    const deadline = performance.now() + settleTimeoutMs
    const params = { id: sandbox.id }
    for (;;) {
      if (!(await this.#pause())) return this.#setAside(held)
      const resumed = await this.#client.call('resumeSandbox', { params })
      const runs =
        resumed.status === 200 ||
        (resumed.status === 409 && (await this.#client.call('pingSandbox', { params })).status === 204)
      if (runs) {
        sandbox.statuses = new Set(['running'])
        return
      }
      if (performance.now() < deadline) continue
      this.#model.violated(`${sandbox.id} neither runs nor resumes: ${describe(resumed)}`)
      return this.#setAside(held)
    }
  }

  async #destroy(held: Held): Promise<void> {
    const { sandbox } = held
    const deadline = performance.now() + settleTimeoutMs
    this.#setAside(held)
    sandbox.statuses.add('gone')
    for (;;) {
      const outcome = await this.#client.call('destroySandbox', { params: { id: sandbox.id } })
      if (outcome.status === 204) {
        sandbox.statuses = new Set(['gone'])
        return
      }
      if (isRefused(outcome)) return this.#model.violated(`${sandbox.id}: destroy: ${describe(outcome)}`)
      const again = this.#random.chance(0.7) && performance.now() < deadline
      if (!again || !(await this.#pause())) return
    }
  }

  /** The sandbox becomes the snapshot, or stays as it was, under a name of its own or one that is replaced. */
  async #snapshot(held: Held): Promise<void> {
    const { sandbox, content } = held
    const overwrite = this.#snapshots.length >= maxSnapshots || this.#random.chance(0.2)
    const name =
      overwrite && this.#snapshots.length > 0 ? this.#random.pick(this.#snapshots) : `of-${this.#word()}`
    const before = this.#model.snapshots.get(name)?.versions ?? new Set([undefined])
    this.#setAside(held)
    this.#snapshots = this.#snapshots.filter((other) => other !== name)
    sandbox.statuses.add('gone')
    const version = copyOf(content)
    const versions = new Set([...before, version])
    this.#model.snapshots.set(name, { versions })
    const call = {
      body: { sandbox_id: sandbox.id, name },
      ...(overwrite ? { query: 'overwrite=true' } : {}),
      headers: { 'idempotency-key': this.#word() },
    }
    const deadline = performance.now() + settleTimeoutMs
    for (let attempts = 1; ; attempts++) {
      const outcome = await this.#client.call('createSnapshot', call)
      if (outcome.status === 201) {
        sandbox.statuses = new Set(['gone'])
        this.#model.snapshots.set(name, { versions: new Set([version]) })
        this.#snapshots.push(name)
        return
      }
      // Later the first attempt may have decided it.
      if (attempts === 1 && isRefused(outcome))
        this.#model.violated(`${sandbox.id}: snapshot ${name}: ${describe(outcome)}`)
      const again = this.#random.chance(0.6) && performance.now() < deadline
      if (again && !isRefused(outcome) && (await this.#pause())) continue
      this.#model.maybeSnapshots.push({ sandbox, name, content: version })
      return
    }
  }

  async #deleteSnapshot(name: string): Promise<void> {
    const snapshot = this.#model.snapshots.get(name)
    this.#snapshots = this.#snapshots.filter((other) => other !== name)
    snapshot?.versions.add(undefined)
    const outcome = await this.#client.call('deleteSnapshot', { params: { name } })
    if (outcome.status === 204) this.#model.snapshots.delete(name)
    else if (isRefused(outcome)) this.#model.violated(`delete of ${name}: ${describe(outcome)}`)
  }

  #setAside({ sandbox }: Held): void {
    this.#held = this.#held.filter((other) => other.sandbox !== sandbox)
  }

  #word(): string {
    return `${this.#name}-${++this.#count}`
  }

  /** Before another try. False when the worker is to stop. */
  async #pause(): Promise<boolean> {
    await sleep(retryPauseMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
    return !this.#stop.signal.aborted
  }
}
