// Every request has an id, on every answer and in every log line. A sane one of the caller's is taken over.
import { randomUUID } from 'node:crypto'

const sane = /^[A-Za-z0-9._-]{1,128}$/

/** 24 hex characters when it is our own. Of a UUID: Node draws random numbers for 128 of them at a time. */
export function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && sane.test(given) ? given : randomUUID().replaceAll('-', '').slice(0, 24)
}
