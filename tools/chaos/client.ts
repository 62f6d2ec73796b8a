// One request under fire. An answer, a connection that breaks off, and no answer at all are three different things: the
// first two are expected, the third is a fault of the platform, as is an answer that its contract does not have.
import { createHash } from 'node:crypto'
import { errorText } from '@wrenn/base'
import type { OperationId, PublicApi } from '@wrenn/contract'
import { Api, type Account, type ApiCall } from '../../test/support/api.ts'
import type { Model } from './model.ts'
import type { Tally } from './tally.ts'

/** Longer than anything takes here, a restart of everything included. */
const answerTimeoutMs = 150_000

export interface Outcome<T = unknown> {
  /** 0: the connection broke off. */
  status: number
  body: T
  code: string | undefined
}

export interface Seat {
  model: Model
  tally: Tally
  account: Account
  url: string
}

export class Client {
  readonly #seat: Seat
  readonly #api: Api

  /** The platform did not serve at the last request. */
  isDown = false

  constructor(seat: Seat) {
    this.#seat = seat
    this.#api = new Api(seat.url)
  }

  async call<T = unknown>(operation: OperationId<PublicApi>, call: ApiCall = {}): Promise<Outcome<T>> {
    const signal = AbortSignal.timeout(answerTimeoutMs)
    const as = { apiKey: this.#seat.account.apiKey }
    const outcome = await this.#api.call<T>(operation, { as, ...call, signal }).then(
      ({ status, body }) => ({ status, body, code: codeOf(body) }),
      (error: unknown) => this.#broken(operation, error),
    )
    this.#note(operation, outcome)
    return outcome as Outcome<T>
  }

  /** The SHA-256 of a file; the outcome's code tells what went wrong. */
  async sumOf(id: string, path: string): Promise<Outcome<string | undefined>> {
    const outcome = await this.#download(id, path).catch((error: unknown) =>
      this.#broken('downloadFile', error),
    )
    this.#note('downloadFile', outcome)
    return outcome
  }

  async #download(id: string, path: string): Promise<Outcome<string | undefined>> {
    const answer = await fetch(`${this.#seat.url}/v1/sandboxes/${id}/files/read`, {
      method: 'POST',
      headers: { 'x-api-key': this.#seat.account.apiKey, 'content-type': 'application/json' },
      body: JSON.stringify({ path }),
      signal: AbortSignal.timeout(answerTimeoutMs),
    })
    const { status } = answer
    if (!answer.ok) return { status, body: undefined, code: codeOf(await answer.json()) }
    const sum = createHash('sha256')
      .update(await answer.bytes())
      .digest('hex')
    return { status, body: sum, code: undefined }
  }

  #note(operation: string, outcome: Outcome): void {
    this.#seat.tally.request(operation, outcome)
    this.isDown = outcome.status === 0 || outcome.status === 503
  }

  #broken(operation: string, error: unknown): Outcome<undefined> {
    const [name, text] = [error instanceof Error ? error.name : '', errorText(error)]
    if (name === 'TimeoutError') this.#seat.model.violated(`${operation} was not answered: ${text}`)
    // fetch's own failures are TypeErrors with the socket's error as cause.
    else if (name !== 'TypeError') this.#seat.model.violated(`${operation}: ${text}`)
    return { status: 0, body: undefined, code: undefined }
  }
}

/** A refusal says that nothing happened; a failure, and a connection that broke off, say nothing. */
export function isRefused({ status }: Outcome): boolean {
  return status >= 400 && status < 500
}

export function told({ status, code }: Outcome): string {
  return status === 0 ? 'broken off' : `${status}${code === undefined ? '' : ` ${code}`}`
}

/** As `told`, with all of the answer. */
export function describe(outcome: Outcome): string {
  return `${told(outcome)} ${JSON.stringify(outcome.body)}`
}

function codeOf(body: unknown): string | undefined {
  return (body as { error?: { code?: string } } | undefined)?.error?.code
}
