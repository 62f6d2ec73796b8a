// The string formats that our contracts use. ajv ignores none silently: an unknown format fails the start.
import { fullFormats } from 'ajv-formats/dist/formats.js'
import type { Format } from 'ajv'

// The shape that HTML's <input type=email> accepts (WHATWG HTML, "valid email address"), with a dot in the domain.
const emailPattern =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/

/** How an e-mail address is kept and compared. */
export function normalizeEmail(text: string): string {
  return text.trim().toLowerCase()
}

/** RFC 5321, section 4.5.3.1.3 limits a path to 256 characters with its angle brackets: 254 for the address. */
export function isEmail(text: string): boolean {
  const email = normalizeEmail(text)
  return email.length <= 254 && emailPattern.test(email)
}

export const formats: Record<string, Format> = {
  email: isEmail,
  'date-time': fullFormats['date-time'],
  binary: true,
  int64: true,
}
