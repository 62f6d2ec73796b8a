// Frames of a Connect server stream: flags (1 byte), length (4 bytes, big-endian), JSON. Flag 0x02 marks the last one,
// which holds {} or {"error": …}. Source: connectrpc.com/docs/protocol, "Streaming RPCs".

const headerBytes = 5
const maxFrameBytes = 16 * 1024 * 1024
const endFlag = 0x02

export interface Frame {
  last: boolean
  json: unknown
}

export function encodeFrame(json: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(json))
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32BE(body.length, 1)
  return Buffer.concat([header, body])
}

/**
 * Yields the frames of a byte stream, however it is cut into chunks. Throws when it ends within a frame. Guests are not
 * trusted: one that sends byte by byte costs no more than one that does not.
 */
export async function* decodeFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  const header = Buffer.alloc(headerBytes)
  let body: Buffer | undefined
  let filled = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const target = body ?? header
      const copied = chunk.copy(target, filled, at)
      at += copied
      filled += copied
      if (filled < target.length) continue
      filled = 0
      body ??= Buffer.allocUnsafe(bodyLength(header))
      if (target === header && body.length > 0) continue
      yield { last: (header.readUInt8(0) & endFlag) !== 0, json: JSON.parse(body.toString()) as unknown }
      body = undefined
    }
  }
  if (filled > 0 || body) throw new Error('the stream ended within a frame')
}

function bodyLength(header: Buffer): number {
  const length = header.readUInt32BE(1)
  if (length > maxFrameBytes) throw new Error(`a frame of ${length} bytes is over the limit`)
  return length
}
