// Calls to OAuth providers: https (http to this machine only), no redirect followed, and an end to waiting and reading.
// A fetch for oauth4webapi and for providers' own calls.
import { isLoopback } from '@wrenn/base'

/** As the global `fetch`. Throws also when the answer is a redirect, too large, or not there in time. */
export type ProviderFetch = (url: string, init?: ProviderRequest) => Promise<Response>

interface ProviderRequest {
  method?: string
  headers?: NonNullable<RequestInit['headers']>
  body?: RequestInit['body'] | undefined
  signal?: AbortSignal | undefined
}

export interface ProviderCallLimits {
  /** From the call to the last byte of the answer. Default 10 s. */
  deadlineMs?: number
  /** Of the answer's body, decompressed. Default 1 MiB. */
  maxAnswerBytes?: number
}

const bodiless = new Set([204, 205, 304])

export function createProviderFetch(limits: ProviderCallLimits = {}): ProviderFetch {
  const { deadlineMs = 10_000, maxAnswerBytes = 1_048_576 } = limits
  return async (url, init = {}) => {
    const target = new URL(url)
    const where = `${target.origin}${target.pathname}`
    if (target.protocol !== 'https:' && !(target.protocol === 'http:' && isLoopback(target)))
      throw new Error(`${where} is not called: it is not https`)
    const { method = 'GET', headers = {}, body = null } = init
    const deadline = AbortSignal.timeout(deadlineMs)
    const signal = init.signal ? AbortSignal.any([deadline, init.signal]) : deadline
    try {
      const answer = await fetch(target, { method, headers, body, redirect: 'manual', signal })
      if (answer.status >= 300 && answer.status < 400) {
        await answer.body?.cancel()
        throw new Error(`a redirect (${answer.status}) is not followed`)
      }
      const content = await readCapped(answer, maxAnswerBytes)
      const { status } = answer
      return new Response(bodiless.has(status) ? null : content, { status, headers: answer.headers })
    } catch (cause) {
      if (deadline.aborted) throw new Error(`${where} did not answer within ${deadlineMs} ms`, { cause })
      throw new Error(`the call to ${where} failed`, { cause })
    }
  }
}

async function readCapped(answer: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (size > maxBytes) throw new Error(`its answer has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
