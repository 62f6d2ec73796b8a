// The client: one object for one platform and one caller. It holds no connection and needs no closing.
import { ApiKeys, Auth } from './accounts.ts'
import { Http, type Call, type Credentials, type Fetch } from './http.ts'
import type { CallOptions } from './limit.ts'
import { Sandboxes } from './sandboxes.ts'
import { Snapshots } from './snapshots.ts'
import type { OpenWebSocket } from './sockets.ts'
import { teamEvents, type EventsOptions, type TeamEvent } from './team-events.ts'
import type { Answer, Health, Me, Method, PathOf } from './wire.ts'

export interface WrennOptions {
  /** Of the platform: `http://127.0.0.1:8080`. A path in front of the API is kept. */
  baseUrl: string | URL
  /** `wrn_…`, for everything but accounts and API keys. Not for browsers: whoever reads the page has it. */
  apiKey?: string | undefined
  /** Of `auth.signup` or `auth.login`, or of a login with a provider. Instead of an API key. */
  token?: string | undefined
  /** How often a call is sent again at most; 2 when left out. 0 for never. */
  maxRetries?: number | undefined
  /** Instead of the global one. Must not follow redirects when told so: API keys would go along. */
  fetch?: Fetch | undefined
  /** Instead of the global WebSocket, which Node has from 22 on. */
  webSocket?: OpenWebSocket | undefined
}

/**
 * Sent again by itself, within the call's time, is what does no harm twice, after a broken connection or a 503 with
 * Retry-After, and anything after a 429 with Retry-After of up to 30 s.
 */
export class Wrenn {
  readonly auth: Auth
  readonly apiKeys: ApiKeys
  readonly sandboxes: Sandboxes
  readonly snapshots: Snapshots
  readonly #http: Http

  /** Throws a TypeError when the address is none, or both an API key and a token are given. */
  constructor({ baseUrl, apiKey, token, maxRetries, fetch, webSocket }: WrennOptions) {
    this.#http = new Http({ baseUrl, credentials: credentials(apiKey, token), maxRetries, fetch })
    this.auth = new Auth(this.#http)
    this.apiKeys = new ApiKeys(this.#http)
    this.sandboxes = new Sandboxes(this.#http, webSocket)
    this.snapshots = new Snapshots(this.#http)
  }

  /** The team and user of the credential. Throws `unauthorized`. */
  me(options: CallOptions = {}): Promise<Me> {
    return this.#http.call('get', '/v1/me', options)
  }

  /**
   * The changes of the team, as they happen. At each `ready` list sandboxes and templates, then apply what comes. When
   * the connection is lost it comes back by itself, with another `ready`. Throws what refuses it for good
   * (`unauthorized`), and the signal's reason.
   */
  events(options: EventsOptions = {}): AsyncGenerator<TeamEvent, void, undefined> {
    return teamEvents(this.#http, options)
  }

  /** What is up. Also an answer when something is not: `status` is `unavailable`, and the parts say why. */
  health(options: CallOptions = {}): Promise<Health> {
    return this.#http.call('get', '/health', { ...options, accept: [503] })
  }

  /** The contract that this platform serves: OpenAPI 3.1, YAML. */
  contract(options: CallOptions = {}): Promise<string> {
    return this.#http.call('get', '/openapi.yaml', options)
  }

  /**
   * Any operation of the contract, typed by it: for what has no method of its own. JSON comes parsed, the rest as text.
   * POST is sent again after a 429 only, unless `repeat` says otherwise.
   */
  call<M extends Method, P extends PathOf<M>>(method: M, path: P, call: Call<M, P>): Promise<Answer<M, P>> {
    return this.#http.call(method, path, call)
  }
}

function credentials(apiKey: string | undefined, token: string | undefined): Credentials {
  if (apiKey !== undefined && token !== undefined)
    throw new TypeError('apiKey and token: give one of them, not both')
  if (apiKey !== undefined) return { apiKey }
  return token === undefined ? undefined : { token }
}
