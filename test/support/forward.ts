// Passes a connection on to another server, both ways, for as long as both ends last.
import { connect, type NetConnectOpts, type Socket } from 'node:net'

export function forwardTo(socket: Socket, target: NetConnectOpts): void {
  const other = connect(target)
  for (const [from, to] of [
    [socket, other],
    [other, socket],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }
}
