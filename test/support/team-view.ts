// What an app knows of its team that lists at each `ready` and then applies what it is told; and all that it was told.
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { pollUntil } from '@wrenn/base'
import type { Sandbox, TeamEvent, Template, Wrenn } from '@wrenn/sdk'

const waitMs = 30_000

export class TeamView {
  readonly sandboxes = new Map<string, Sandbox>()
  readonly templates = new Map<string, Template>()
  readonly events: TeamEvent[] = []
  /** How often its connection was lost, or could not be made. */
  disconnects = 0
  /** Settles when it is at an end: with what ended it, undefined when that was `close`. */
  readonly ended: Promise<unknown>
  readonly #wrenn: Wrenn
  readonly #closed = new AbortController()

  private constructor(wrenn: Wrenn) {
    this.#wrenn = wrenn
    this.ended = this.#follow().catch((error: unknown) => (this.#closed.signal.aborted ? undefined : error))
  }

  /** Returns when it has listed. */
  static async follow(wrenn: Wrenn): Promise<TeamView> {
    const view = new TeamView(wrenn)
    await view.until('it is ready', () => view.readies > 0)
    return view
  }

  get readies(): number {
    return this.events.filter(({ type }) => type === 'ready').length
  }

  /** The statuses that it was told of a sandbox. */
  statuses(id: string): string[] {
    return this.events.flatMap((event) =>
      event.type === 'sandbox' && event.sandbox.id === id ? [event.sandbox.status] : [],
    )
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    await pollUntil(what, () => isSo() || undefined, { timeoutMs: waitMs })
  }

  /** Returns when it shows what lists show; fails with the difference. */
  async untilRight(): Promise<void> {
    const isRight = async (): Promise<true | undefined> =>
      isDeepStrictEqual(this.#shown(), await this.#listed()) || undefined
    try {
      await pollUntil('the view is right', isRight, { timeoutMs: waitMs })
    } catch {
      assert.deepEqual(this.#shown(), await this.#listed())
    }
  }

  async close(): Promise<void> {
    this.#closed.abort()
    await this.ended
  }

  async #follow(): Promise<void> {
    const options = { signal: this.#closed.signal, onDisconnect: () => void (this.disconnects += 1) }
    for await (const event of this.#wrenn.events(options)) {
      if (event.type === 'ready') await this.#list()
      else this.#apply(event)
      this.events.push(event)
    }
  }

  async #list(): Promise<void> {
    const { sandboxes, templates } = await this.#listed()
    this.sandboxes.clear()
    this.templates.clear()
    for (const sandbox of sandboxes) this.sandboxes.set(sandbox.id, sandbox)
    for (const template of templates) this.templates.set(template.name, template)
  }

  #apply(event: TeamEvent): void {
    if (event.type === 'template') this.templates.set(event.template.name, event.template)
    if (event.type === 'template_deleted') this.templates.delete(event.name)
    if (event.type !== 'sandbox') return
    const { sandbox } = event
    if (sandbox.status === 'stopped') this.sandboxes.delete(sandbox.id)
    else this.sandboxes.set(sandbox.id, sandbox)
  }

  #shown(): { sandboxes: Sandbox[]; templates: Template[] } {
    return {
      sandboxes: sorted(this.sandboxes.values(), ({ id }) => id),
      templates: sorted(this.templates.values(), ({ name }) => name),
    }
  }

  /** As often as it takes: a server may be away, too. */
  async #listed(): Promise<{ sandboxes: Sandbox[]; templates: Template[] }> {
    const list = async (): Promise<[Sandbox[], Template[]]> => {
      const sandboxes: Sandbox[] = []
      for await (const sandbox of this.#wrenn.sandboxes.list()) sandboxes.push(sandbox)
      return [sandboxes, await this.#wrenn.snapshots.list()]
    }
    const [sandboxes, templates] = await pollUntil(
      'lists are answered',
      () => list().catch(() => undefined),
      {
        timeoutMs: waitMs,
      },
    )
    return {
      sandboxes: sorted(sandboxes, ({ id }) => id),
      templates: sorted(templates, ({ name }) => name),
    }
  }
}

function sorted<T>(items: Iterable<T>, key: (item: T) => string): T[] {
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}
