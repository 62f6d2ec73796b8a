// What a login through a provider brings back: a token, or an error. public/early.js has taken it out of the URL, before
// anything else ran, and left it on the window; this takes it from there.

export interface Callback {
  provider: string
  params: URLSearchParams
}

declare global {
  interface Window {
    wrennCallback?: string
  }
}

/** Once: a page that is shown again finds nothing. */
export function takeCallback(): Callback | undefined {
  const { wrennCallback: href } = window
  delete window.wrennCallback
  if (href === undefined) return undefined
  const { pathname, searchParams } = new URL(href)
  const [, , provider = ''] = pathname.split('/')
  return { provider: decodeURIComponent(provider), params: searchParams }
}
