// API keys: `wrn_` and 40 lower-case hex characters (160 random bits). Only their SHA-256 is stored.
import { createHash, randomBytes } from 'node:crypto'

const form = /^wrn_[0-9a-f]{40}$/

export interface NewKey {
  /** Shown once. */
  key: string
  keyHash: Buffer
  /** For display. */
  keyPrefix: string
}

export function newApiKey(): NewKey {
  const key = `wrn_${randomBytes(20).toString('hex')}`
  return { key, keyHash: sha256(key), keyPrefix: `${key.slice(0, 12)}...` }
}

/** Undefined when it does not have the form of a key. */
export function hashApiKey(key: string): Buffer | undefined {
  return form.test(key) ? sha256(key) : undefined
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
