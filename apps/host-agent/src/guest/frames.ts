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

/** Yields the frames of a byte stream, however it is cut into chunks. Throws when it ends within a frame. */
export async function* decodeFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let pending: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (;;) {
      if (pending.length < headerBytes) break
      const length = pending.readUInt32BE(1)
      if (length > maxFrameBytes) throw new Error(`a frame of ${length} bytes is over the limit`)
      if (pending.length < headerBytes + length) break
      const flags = pending.readUInt8(0)
      const json: unknown = JSON.parse(pending.toString('utf8', headerBytes, headerBytes + length))
      pending = pending.subarray(headerBytes + length)
      yield { last: (flags & endFlag) !== 0, json }
    }
  }
  if (pending.length > 0) throw new Error('the stream ended within a frame')
}
