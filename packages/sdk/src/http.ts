// Requests: address, credentials, deadline, retries, errors. All resources go through here, and so does `Wrenn.call`,
// whose methods, paths, parameters and answers are typed by the contract.
import { errorOf, WrennError } from './errors.ts'
import { Limit, type CallOptions } from './limit.ts'
import type { Answer, Method, PathOf, PathParams } from './wire.ts'

/** An API key (everything but API keys and accounts), or the token of a session (everything). */
export type Credentials = { apiKey: string } | { token: string } | undefined

export type Fetch = (url: string, init: RequestInit & { duplex?: 'half' }) => Promise<Response>

/**
 * Which failures a request may be sent again after: `safe` also when nobody knows whether it was done, `refused` when
 * the server says that it was not (429), `never` when its body cannot be sent twice.
 */
export type Repeat = 'safe' | 'refused' | 'never'

export type OutgoingBody = string | Blob | ReadableStream<Uint8Array>

export interface Outgoing {
  method: Method
  /** From the root of the API, filled in and encoded. */
  path: string
  headers?: Record<string, string>
  /** Made anew for each attempt. */
  body?: () => OutgoingBody
  repeat: Repeat
  /** Statuses that are no errors, beside those of success. */
  accept?: readonly number[]
  /** Instead of the client's. */
  fetch?: Fetch
}

export type Call<M extends Method, P extends PathOf<M>> = CallOptions &
  PathParams<M, P> & {
    query?: Readonly<Record<string, string | number | undefined>>
    headers?: Record<string, string>
    /** Sent as JSON. */
    body?: object
    /** When left out: `safe` for GET and DELETE, `refused` for POST. */
    repeat?: Repeat
    accept?: readonly number[]
  }

export interface HttpOptions {
  baseUrl: string | URL
  credentials: Credentials
  fetch?: Fetch | undefined
  maxRetries?: number | undefined
}

const defaultTimeoutMs = 60_000
const defaultRetries = 2
/** After a connection that failed; doubled each time, and up to half of it taken off at random. */
const firstPauseMs = 250
/** Whoever is told to wait for longer is told so, instead of waiting. */
const longestPauseMs = 30_000

export class Http {
  readonly baseUrl: string
  readonly credentials: Credentials
  readonly #fetch: Fetch
  readonly #maxRetries: number

  constructor({ baseUrl, credentials, fetch, maxRetries = defaultRetries }: HttpOptions) {
    const url = new URL(baseUrl)
    if (!/^https?:$/.test(url.protocol)) throw new TypeError(`baseUrl: ${url.protocol} is not http or https`)
    this.baseUrl = (url.origin + url.pathname).replace(/\/+$/, '')
    this.credentials = credentials
    // Called without a receiver: browsers refuse any other than the window.
    this.#fetch = fetch ?? ((url, init) => globalThis.fetch(url, init))
    this.#maxRetries = maxRetries
  }

  /** Sends JSON. Returns the answer parsed, or as text where it is not JSON. */
  async call<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    call: Call<M, P>,
  ): Promise<Answer<M, P>> {
    return (await this.send(jsonRequest(method, path, call), call, readAnswer)) as Answer<M, P>
  }

  /** As `call`, with the Link header of the answer. */
  async page<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    call: Call<M, P>,
  ): Promise<{ body: Answer<M, P>; link: string | null }> {
    return this.send(jsonRequest(method, path, call), call, async (response, limit) => {
      const body = (await readAnswer(response, limit)) as Answer<M, P>
      return { body, link: response.headers.get('link') }
    })
  }

  /**
   * Returns what `consume` makes of the answer; when that throws, the request has failed. `consume` ends the limit once
   * it has read what it wants: so a stream that it returns can still be held to it.
   */
  async send<T>(
    outgoing: Outgoing,
    options: CallOptions,
    consume: (response: Response, limit: Limit) => Promise<T>,
  ): Promise<T> {
    const what = `${outgoing.method.toUpperCase()} ${outgoing.path}`
    const { signal, timeoutMs = defaultTimeoutMs } = options
    const limit = new Limit(what, { signal, timeoutMs })
    try {
      for (let retries = 0; ; retries += 1) {
        try {
          return await this.#once(outgoing, limit, consume)
        } catch (error) {
          limit.signal.throwIfAborted()
          const pauseMs =
            retries < this.#maxRetries ? pauseBefore(error, outgoing.repeat, retries) : undefined
          if (pauseMs === undefined || pauseMs > limit.leftMs) throw error
          await limit.pause(pauseMs)
        }
      }
    } catch (error) {
      limit.end()
      throw error
    }
  }

  credentialHeaders(): Record<string, string> {
    if (!this.credentials) return {}
    if ('apiKey' in this.credentials) return { 'x-api-key': this.credentials.apiKey }
    return { authorization: `Bearer ${this.credentials.token}` }
  }

  async #once<T>(
    { method, path, headers, body, accept = [], fetch = this.#fetch }: Outgoing,
    limit: Limit,
    consume: (response: Response, limit: Limit) => Promise<T>,
  ): Promise<T> {
    const init: RequestInit & { duplex?: 'half' } = {
      method: method.toUpperCase(),
      headers: { ...headers, ...this.credentialHeaders() },
      signal: limit.signal,
      // fetch would take X-API-Key along to wherever it is sent.
      redirect: 'error',
    }
    const content = body?.()
    if (content !== undefined) init.body = content
    if (content instanceof ReadableStream) init.duplex = 'half'
    try {
      const response = await fetch(this.baseUrl + path, init)
      if (!response.ok && !accept.includes(response.status)) throw await errorOf(response)
      return await consume(response, limit)
    } catch (cause) {
      if (cause instanceof WrennError) throw cause
      const text = `${method.toUpperCase()} ${this.baseUrl}${path}: ${causeText(cause)}`
      throw new WrennError('network_error', text, { cause })
    }
  }
}

function jsonRequest<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  { params = {}, query = {}, headers = {}, body, repeat, accept }: Call<M, P>,
): Outgoing {
  const json = body === undefined ? undefined : JSON.stringify(body)
  return {
    method,
    path: fill(path, params as Record<string, string>) + queryString(query),
    headers: { ...headers, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
    repeat: repeat ?? (method === 'post' ? 'refused' : 'safe'),
    ...(json === undefined ? {} : { body: () => json }),
    ...(accept ? { accept } : {}),
  }
}

/** Replaces `{…}`. Throws `invalid_request` for what a URL would take for a step up, or for another operation. */
export function fill(path: string, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
    const value = params[name] ?? ''
    if (value === '' || value === '.' || value === '..')
      throw new WrennError('invalid_request', `${name}: must not be ${JSON.stringify(value)}`)
    return encodeURIComponent(value)
  })
}

export function queryString(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) given.append(key, String(value))
  const text = given.toString()
  return text === '' ? '' : `?${text}`
}

async function readAnswer(response: Response, limit: Limit): Promise<unknown> {
  const text = await response.text()
  limit.end()
  if (text === '') return undefined
  if (!response.headers.get('content-type')?.startsWith('application/json')) return text
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    const { status } = response
    throw new WrennError('unexpected_answer', `status ${status} with broken JSON`, { status, cause })
  }
}

/** Milliseconds to wait before the next attempt; undefined when there must be none. */
function pauseBefore(error: unknown, repeat: Repeat, retries: number): number | undefined {
  if (!(error instanceof WrennError) || repeat === 'never') return undefined
  if (error.code === 'network_error')
    return repeat === 'safe' ? firstPauseMs * 2 ** retries * (1 - Math.random() / 2) : undefined
  const mayRepeat = error.status === 429 || (error.status === 503 && repeat === 'safe')
  if (!mayRepeat || error.retryAfterSec === undefined) return undefined
  const pauseMs = error.retryAfterSec * 1_000
  return pauseMs <= longestPauseMs ? pauseMs : undefined
}

/** With its causes: "fetch failed" alone says nothing. */
function causeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${causeText(error.cause)}`
}
