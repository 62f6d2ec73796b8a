// Random numbers for idempotency keys and form boundaries. Not crypto.randomUUID: browsers have that on https only.

export function randomHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes))
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
