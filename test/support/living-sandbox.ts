// A sandbox with something to lose: a process, a file on its disk and a word in its memory.
import assert from 'node:assert/strict'
import { pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { User } from './user.ts'

type Sandbox = PublicSchemas['Sandbox']

export class LivingSandbox {
  readonly id: string
  readonly #user: User
  readonly #pid: string

  private constructor(user: User, id: string, pid: string) {
    this.#user = user
    this.id = id
    this.#pid = pid
  }

  static async create(user: User, body: object = {}): Promise<LivingSandbox> {
    const { id } = await user.create(body)
    const begin =
      'echo before > /root/file; echo memory > /run/word; sync; sleep 100000 >/dev/null 2>&1 & echo $!'
    return new LivingSandbox(user, id, await user.sh(id, begin))
  }

  /** The same process, file and memory, also in a sandbox made from a snapshot of it. */
  async assertAlive(id: string = this.id): Promise<void> {
    const line = `kill -0 ${this.#pid} && cat /root/file /run/word`
    assert.equal(await this.#user.sh(id, line), 'before\nmemory')
  }

  /** Its disk is as it was; process and memory are lost. */
  async assertRebooted(): Promise<void> {
    const line = `cat /root/file; [ -e /run/word ] || echo no memory; pgrep -x sleep || echo no process`
    assert.equal(await this.#user.sh(this.id, line), 'before\nno memory\nno process')
  }

  async get(): Promise<Sandbox> {
    const { status, body } = await this.#user.call('getSandbox', 'GET', `/v1/sandboxes/${this.id}`)
    assert.equal(status, 200)
    return body as Sandbox
  }

  async until(status: Sandbox['status'], timeoutMs = 30_000): Promise<Sandbox> {
    return pollUntil(
      `${this.id} is ${status}`,
      async () => {
        const sandbox = await this.get()
        return sandbox.status === status ? sandbox : undefined
      },
      { timeoutMs },
    )
  }

  pause(): Promise<Sandbox> {
    return this.#change('pauseSandbox', 'pause')
  }

  resume(): Promise<Sandbox> {
    return this.#change('resumeSandbox', 'resume')
  }

  async #change(operation: string, verb: string): Promise<Sandbox> {
    const { status, body } = await this.#user.call(operation, 'POST', `/v1/sandboxes/${this.id}/${verb}`)
    assert.equal(status, 200, JSON.stringify(body))
    return body as Sandbox
  }
}
