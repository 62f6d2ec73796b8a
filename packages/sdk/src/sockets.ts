// WebSockets, which differ: browsers can set no header, so a session's token goes as a subprotocol; Node 22 and later
// can, so an API key goes as one; Node 20 has none, and is given one. Nothing secret ever stands in a URL.
import { WrennError } from './errors.ts'
import type { Credentials } from './http.ts'

/** As much of a WebSocket as is used: that of browsers and Node, and `ws`. */
export interface WebSocketLike {
  addEventListener(
    type: 'open' | 'message' | 'error' | 'close',
    listener: (event: { type?: string; data?: unknown; code?: number }) => void,
  ): void
  send(text: string): void
  close(code?: number): void
  /** Where there are these (`ws` has them), a slow reader slows the command. */
  pause?(): void
  resume?(): void
}

export type OpenWebSocket = (
  url: string,
  options: { protocols: string[]; headers: Record<string, string> },
) => WebSocketLike

/** The control plane agrees to this one. */
const subprotocol = 'wrenn.v1'

export function openSocket(
  url: string,
  credentials: Credentials,
  open: OpenWebSocket = openGlobal,
): WebSocketLike {
  if (credentials && 'apiKey' in credentials)
    return open(url, { protocols: [subprotocol], headers: { 'x-api-key': credentials.apiKey } })
  const token = credentials ? [`wrenn.token.${credentials.token}`] : []
  return open(url, { protocols: [subprotocol, ...token], headers: {} })
}

type Constructor = new (url: string, options: string[] | object) => WebSocketLike

function openGlobal(
  url: string,
  { protocols, headers }: { protocols: string[]; headers: Record<string, string> },
): WebSocketLike {
  const { WebSocket, process } = globalThis as unknown as {
    WebSocket?: Constructor
    process?: { versions?: { node?: string } }
  }
  if (!WebSocket) {
    const text = 'There is no WebSocket here (Node has one from 22 on): give the client a `webSocket`'
    throw new WrennError('unsupported', text)
  }
  if (Object.keys(headers).length === 0) return new WebSocket(url, protocols)
  if (process?.versions?.node === undefined) {
    const text = 'Browsers cannot send an API key with a WebSocket: use the token of a session'
    throw new WrennError('unsupported', text)
  }
  return new WebSocket(url, { protocols, headers })
}
