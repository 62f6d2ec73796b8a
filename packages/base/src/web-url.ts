// URLs in settings under which browsers or we reach a web service: https, or http on this machine.
import { z } from 'zod'

export const webUrlHint =
  'must be an https:// URL such as https://wrenn.example.com (http:// for localhost, 127.0.0.1 or [::1] only), ' +
  'without user, query and fragment'

/** Nobody else is on the way: http is as good as https. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

export function isWebUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#]|\s/.test(text)) return false
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
}

/** As browsers write it, without a slash at the end. */
export function plainWebUrl(text: string): string {
  return new URL(text).href.replace(/\/+$/, '')
}

/** Comes out plain. */
export const webUrlSetting = z
  .string()
  .refine(isWebUrl, { error: (issue) => `${webUrlHint}, not ${JSON.stringify(issue.input)}`, abort: true })
  .transform(plainWebUrl)
