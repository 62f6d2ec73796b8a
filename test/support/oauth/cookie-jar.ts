// The cookies of one browser (RFC 6265bis, sections 5.6 to 5.8), as far as ours use them: host, Path, Max-Age, Secure,
// HttpOnly, SameSite. Strict where browsers are: what it does not understand is a mistake of the server's.
import assert from 'node:assert/strict'

/** How a request comes about: the address bar or a link on any page, or as part of another site's page. */
export type Initiator = 'navigation' | 'embedded'

export interface Cookie {
  name: string
  value: string
  host: string
  path: string
  secure: boolean
  httpOnly: boolean
  sameSite: string
  /** Milliseconds since 1970. */
  expires: number
}

export class CookieJar {
  #cookies: Cookie[] = []

  /** `lines`: the Set-Cookie headers of an answer from `url`. */
  keep(url: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const cookie = parse(url, line)
      const isOther = ({ name, host, path }: Cookie): boolean =>
        name !== cookie.name || host !== cookie.host || path !== cookie.path
      this.#cookies = this.#cookies.filter(isOther)
      if (cookie.expires > Date.now()) this.#cookies.push(cookie)
    }
  }

  /** The Cookie header of a request; undefined when there is none to send. */
  header(url: URL, initiator: Initiator): string | undefined {
    const sent = this.#cookies.filter(
      ({ host, path, secure, sameSite, expires }) =>
        host === url.hostname &&
        isBelow(url.pathname, path) &&
        (!secure || url.protocol === 'https:') &&
        (sameSite === 'None' || (sameSite === 'Lax' && initiator === 'navigation')) &&
        expires > Date.now(),
    )
    return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join('; ')
  }

  get(name: string): Cookie | undefined {
    return this.#cookies.find((cookie) => cookie.name === name)
  }

  /** As by someone who can write into the browser. */
  put(cookie: Cookie): void {
    this.#cookies = [...this.#cookies.filter(({ name }) => name !== cookie.name), cookie]
  }
}

function parse(url: URL, line: string): Cookie {
  const [pair = '', ...attributes] = line.split(/;\s*/)
  const [, name = '', value = ''] = /^([\w-]+)=([\w.-]*)$/.exec(pair) ?? []
  assert.notEqual(name, '', `Set-Cookie: ${line}`)
  const given = new Map(attributes.map((text) => text.split(/=(.*)/s) as [string, string | undefined]))
  const secure = given.has('Secure')
  assert.ok(!secure || url.protocol === 'https:', 'a Secure cookie from an http page is not kept')
  const known = new Set(['Max-Age', 'Path', 'Secure', 'HttpOnly', 'SameSite'])
  assert.deepEqual(
    [...given.keys()].filter((key) => !known.has(key)),
    [],
    line,
  )
  return {
    name,
    value,
    host: url.hostname,
    path: given.get('Path') ?? '/',
    secure,
    httpOnly: given.has('HttpOnly'),
    sameSite: given.get('SameSite') ?? 'Lax',
    expires: given.has('Max-Age') ? Date.now() + Number(given.get('Max-Age')) * 1_000 : Infinity,
  }
}

/** RFC 6265, section 5.1.4. */
function isBelow(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
}
