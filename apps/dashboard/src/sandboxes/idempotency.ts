// Requests that must not happen twice: a key by which the server knows a repeated one, for as long as the same is wished
// for, so that neither an impatient click nor a broken connection makes two of anything.
import { WrennError } from '@wrenn/sdk'
import { useRef } from 'react'

/** 128 random bits. Not crypto.randomUUID: browsers have that over https and on localhost only. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

/** Gives the same key for the same wish, for as long as the component lives. */
export function useIdempotencyKey(): (wish: object) => string {
  const last = useRef({ wish: '', key: '' })
  return (wish) => {
    const text = JSON.stringify(wish)
    if (text !== last.current.wish) last.current = { wish: text, key: newKey() }
    return last.current.key
  }
}

/**
 * Once more when the connection broke: Chromium drops its connections whenever an interface comes or goes, which each new
 * sandbox does to a browser on the same machine. `send` uses the same key both times.
 */
export async function despiteBrokenConnection<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (error instanceof WrennError && error.code === 'network_error') return send()
    throw error
  }
}
