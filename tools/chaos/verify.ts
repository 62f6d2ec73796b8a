// Holds what is there against what was acknowledged, when nothing is under way: every sandbox and snapshot is as before
// or as after each request, and holds what was written. What was open is settled afterwards, so that a run can go on.
import { Limiter } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import { Client, describe, type Seat } from './client.ts'
import { look, temporaryFiles } from './guest.ts'
import { differences, type Content, type Model, type ModelSandbox, type Seen, type Status } from './model.ts'

type Sandbox = PublicSchemas['Sandbox'] & { id: string }
type Template = PublicSchemas['Template']

const statuses: Record<string, Status> = { running: 'running', paused: 'paused', stopped: 'gone' }
/** VMs at once that are looked into. */
const atOnce = 3

export class Verification {
  readonly #model: Model
  readonly #client: Client

  constructor(seat: Seat) {
    this.#model = seat.model
    this.#client = new Client(seat)
  }

  async run(): Promise<void> {
    await this.#strangers()
    const limiter = new Limiter(atOnce)
    await Promise.all(
      [...this.#model.sandboxes.values()].map((sandbox) => limiter.run(() => this.#sandbox(sandbox))),
    )
    await this.#snapshots()
  }

  /** Sandboxes of creates that broke off, or failed in the answer only, may be there. Others may not. */
  async #strangers(): Promise<void> {
    const model = this.#model
    const list = await this.#expect<Sandbox[]>(200, 'listSandboxes', {})
    for (const { id, status, metadata = {} } of list ?? []) {
      const known = model.sandboxes.get(id)
      if (known && [...known.statuses].join() === 'gone')
        model.violated(`${id} is deleted, and listed as ${status}`)
      if (known) continue
      const attempt = metadata['attempt'] ?? ''
      if (!model.maybeCreated.delete(attempt)) model.violated(`${id} is listed, nobody made it (${attempt})`)
      const all = new Set(['running', 'paused'] as const)
      model.sandboxes.set(id, { id, statuses: all, content: undefined })
    }
  }

  async #sandbox(sandbox: ModelSandbox): Promise<void> {
    const { id } = sandbox
    const found = await this.#expect<Sandbox>(200, 'getSandbox', { params: { id } })
    const status = statuses[found?.status ?? '']
    if (!status || !sandbox.statuses.has(status)) {
      const may = [...sandbox.statuses].join(' or ')
      this.#model.violated(`${id} is ${found?.status} (${found?.status_reason}), not ${may}`)
    }
    sandbox.statuses = new Set([status ?? 'gone'])
    if (status === 'gone' || !status) return
    if (!sandbox.content) {
      await this.#expect(204, 'destroySandbox', { params: { id } })
      sandbox.statuses = new Set(['gone'])
      return
    }
    if (status === 'paused') await this.#expect(200, 'resumeSandbox', { params: { id } })
    sandbox.statuses = new Set(['running'])
    const seen = await this.#holds(id, [sandbox.content])
    if (seen) settled(sandbox.content, seen)
    const { body } = await temporaryFiles(this.#client, id)
    if (body?.stdout) this.#model.violated(`${id}: left of transfers: ${body.stdout}`)
  }

  async #snapshots(): Promise<void> {
    const model = this.#model
    const list = await this.#expect<Template[]>(200, 'listSnapshots', { query: 'type=snapshot' })
    const words = new Map<string, string>()
    for (const { name } of list ?? []) {
      const made = await this.#expect<Sandbox>(201, 'createSandbox', { body: { template: name } })
      if (!made) continue
      const versions = this.#versionsOf(name)
      const seen = await this.#holds(made.id, versions)
      if (seen) words.set(name, seen.word)
      await this.#expect(204, 'destroySandbox', { params: { id: made.id } })
    }
    const isThere = new Set(words.values())
    for (const { sandbox, name, content } of model.maybeSnapshots.splice(0)) {
      const isGone = sandbox.statuses.has('gone')
      if (isGone === isThere.has(content.word)) continue
      const there = isThere.has(content.word) ? 'is there' : 'is not there'
      model.violated(`${sandbox.id} is ${[...sandbox.statuses].join()}, its snapshot ${name} ${there}`)
    }
    for (const [name, { versions }] of model.snapshots) {
      const word = words.get(name)
      const version = [...versions].find((one) => one?.word === word)
      if (word === undefined && !versions.has(undefined)) model.violated(`the snapshot ${name} is not there`)
      if (version) model.snapshots.set(name, { versions: new Set([version]) })
      else model.snapshots.delete(name)
    }
  }

  /** One that seemed to have failed, and was made all the same, may have got another name. */
  #versionsOf(name: string): Content[] {
    const known = this.#model.snapshots.get(name)?.versions
    if (known) return [...known].filter((version) => version !== undefined)
    const maybe = this.#model.maybeSnapshots.filter((one) => name.startsWith(`${one.name}-`))
    if (maybe.length === 0) this.#model.violated(`the snapshot ${name} is there, nobody made it`)
    return maybe.map(({ content }) => content)
  }

  /** What it holds; a violation when that is none of these. */
  async #holds(id: string, contents: Content[]): Promise<Seen | undefined> {
    const outcome = await look(this.#client, id)
    const { seen } = outcome
    if (!seen) {
      this.#model.violated(`${id} cannot be looked into: ${describe(outcome)}`)
      return undefined
    }
    const content = contents.find(({ word }) => word === seen.word) ?? contents[0]
    const found = content ? differences(content, seen) : [`holds ${seen.word}, which nobody wrote`]
    for (const difference of found) this.#model.violated(`${id}: ${difference}`)
    return seen
  }

  async #expect<T>(
    status: number,
    operation: Parameters<Client['call']>[0],
    call: NonNullable<Parameters<Client['call']>[1]>,
  ): Promise<T | undefined> {
    const outcome = await this.#client.call<T>(operation, call)
    if (outcome.status === status) return outcome.body
    this.#model.violated(`${operation} ${JSON.stringify(call)} when all is quiet: ${describe(outcome)}`)
    return undefined
  }
}

/** From now on nothing of it is open. */
function settled(content: Content, seen: Seen): void {
  for (const path of content.files.keys()) content.files.set(path, new Set([seen.sums.get(path)]))
  for (const [path, sums] of content.files) if (sums.has(undefined)) content.files.delete(path)
  content.lines = seen.lines.map((text) => ({ text, sure: true }))
}
