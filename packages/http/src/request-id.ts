// Every request has an id, on every answer and in every log line. A sane one of the caller's is taken over.
import { randomBytes } from 'node:crypto'

const sane = /^[A-Za-z0-9._-]{1,128}$/

export function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && sane.test(given) ? given : randomBytes(12).toString('hex')
}
