// Snapshots: templates made of sandboxes. `sandboxes.create({ template: name })` makes more of them.
import type { Http } from './http.ts'
import type { CallOptions } from './limit.ts'
import { randomHex } from './random.ts'
import { changeTimeoutMs, type CreateOptions } from './sandboxes.ts'
import type { CreateSnapshot, Template } from './wire.ts'

export interface SnapshotOptions extends CreateOptions {
  /** Replaces the snapshot of that name: whoever creates from it meanwhile gets the old or the new. */
  overwrite?: boolean | undefined
}

export class Snapshots {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  /**
   * Saves a running or paused sandbox, with its processes, and destroys it. Throws `already_exists`, `invalid_state`,
   * `forbidden` (a base template's name), `limit_reached`; then the sandbox is as it was.
   */
  create(request: CreateSnapshot, options: SnapshotOptions = {}): Promise<Template> {
    const { idempotencyKey = randomHex(16), overwrite = false, timeoutMs = changeTimeoutMs, signal } = options
    return this.#http.call('post', '/v1/snapshots', {
      body: request,
      query: { overwrite: overwrite ? 'true' : undefined },
      headers: { 'idempotency-key': idempotencyKey },
      repeat: 'safe',
      timeoutMs,
      signal,
    })
  }

  /** Base templates and the team's own. `size_bytes` is what one occupies on disk. */
  list({ type, ...options }: CallOptions & { type?: Template['type'] } = {}): Promise<Template[]> {
    return this.#http.call('get', '/v1/snapshots', { ...options, query: { type } })
  }

  /** Sandboxes made from it live on. Throws `not_found`, `forbidden` (a base template). */
  async delete(name: string, options: CallOptions = {}): Promise<void> {
    // A second attempt would find nothing, and say so.
    await this.#http.call('delete', '/v1/snapshots/{name}', {
      ...options,
      params: { name },
      repeat: 'refused',
    })
  }
}
