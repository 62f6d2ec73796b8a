// Accounts and API keys. A session's token is for these and for all the rest; an API key is not for these.
import { WrennError } from './errors.ts'
import type { Http } from './http.ts'
import type { CallOptions } from './limit.ts'
import type { Account, ApiKey, CreateApiKey, NewApiKey, Providers, Session } from './wire.ts'

export class Auth {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  /**
   * A new account with a team of its own. `password`: at least 8 characters. The token is good for 6 hours: give it to
   * `new Wrenn`. Throws `email_taken`, `forbidden` (sign-ups are closed), `rate_limited`.
   */
  signup(account: Account, options: CallOptions = {}): Promise<Session> {
    return this.#http.call('post', '/v1/auth/signup', { ...options, body: account })
  }

  /** What a sign-in page has to offer: who may sign up, and with which OAuth providers. */
  providers(options: CallOptions = {}): Promise<Providers> {
    return this.#http.call('get', '/v1/auth/providers', options)
  }

  /** Throws `unauthorized` for a wrong e-mail or password, `rate_limited`. */
  login(account: Account, options: CallOptions = {}): Promise<Session> {
    return this.#http.call('post', '/v1/auth/login', { ...options, body: account })
  }
}

export class ApiKeys {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  /** The only answer that has `key`, the secret itself: the server keeps a hash. */
  async create(request: CreateApiKey = {}, options: CallOptions = {}): Promise<NewApiKey> {
    const { key, ...rest } = await this.#http.call('post', '/v1/api-keys', { ...options, body: request })
    if (typeof key !== 'string')
      throw new WrennError('unexpected_answer', 'The new API key came without its key')
    return { ...rest, key }
  }

  /** The team's, newest first. */
  list(options: CallOptions = {}): Promise<ApiKey[]> {
    return this.#http.call('get', '/v1/api-keys', options)
  }

  /** It stops working at once. Also when there is none: that is no error. */
  async delete(id: string, options: CallOptions = {}): Promise<void> {
    await this.#http.call('delete', '/v1/api-keys/{id}', { ...options, params: { id } })
  }
}
