// Where to go after signing in: a page of this app, never another site, whatever a link says.
import { pages } from '../paths.ts'

export const home = '/sandboxes'

const anonymous = ['/sign-in', '/sign-up', '/auth']

/** The path with its query, or `home` when it is none of ours (`//evil.example`, `javascript:`) or a page of signing in. */
export function safeReturnTo(to: unknown, origin: string): string {
  if (typeof to !== 'string' || !/^\/(?![/\\])/.test(to) || !URL.canParse(to, origin)) return home
  const url = new URL(to, origin)
  if (url.origin !== origin || !isPage(url.pathname)) return home
  if (anonymous.some((each) => url.pathname === each || url.pathname.startsWith(`${each}/`))) return home
  return url.pathname + url.search + url.hash
}

function isPage(path: string): boolean {
  const segments = path.split('/')
  return pages.some((page) => {
    const wanted = page.split('/')
    return (
      wanted.length === segments.length &&
      wanted.every((each, at) => (each.startsWith('$') ? segments[at] !== '' : each === segments[at]))
    )
  })
}
