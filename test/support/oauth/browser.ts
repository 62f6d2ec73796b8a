// A browser as far as a login needs one: cookies, and redirects that are looked at one by one. Public addresses lead to
// servers of the test, as they would through DNS and a proxy with TLS.
import { CookieJar, type Initiator } from './cookie-jar.ts'

export interface Page {
  status: number
  headers: Headers
  /** Where a redirect leads. */
  location: URL | undefined
  body: string
}

export class Browser {
  readonly cookies = new CookieJar()
  readonly #servers: Readonly<Record<string, string>>

  /** `servers`: the server's base URL by public origin. Others are reached under their own names. */
  constructor(servers: Readonly<Record<string, string>> = {}) {
    this.#servers = servers
  }

  /** One request. A redirect is not followed. */
  async get(url: URL | string, initiator: Initiator = 'navigation'): Promise<Page> {
    const target = new URL(url)
    const server = this.#servers[target.origin] ?? target.origin
    const cookie = this.cookies.header(target, initiator)
    const answer = await fetch(server + target.pathname + target.search, {
      redirect: 'manual',
      headers: cookie === undefined ? {} : { cookie },
    })
    this.cookies.keep(target, answer.headers.getSetCookie())
    const location = answer.headers.get('location')
    return {
      status: answer.status,
      headers: answer.headers,
      location: location === null ? undefined : new URL(location, target),
      body: await answer.text(),
    }
  }
}
