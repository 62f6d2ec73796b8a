import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeFrames, encodeFrame, type Frame } from './frames.ts'

async function* chunksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0
  for (const size of sizes) {
    yield bytes.subarray(at, at + size)
    at += size
  }
  if (at < bytes.length) yield bytes.subarray(at)
}

async function decode(bytes: Buffer, sizes: readonly number[] = []): Promise<Frame[]> {
  const frames: Frame[] = []
  for await (const frame of decodeFrames(chunksOf(bytes, sizes))) frames.push(frame)
  return frames
}

const anyChunks = fc.array(fc.nat(40), { maxLength: 60 })

test('any messages come through any chunks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), anyChunks, async (messages, sizes) => {
      const bytes = Buffer.concat(messages.map(encodeFrame))
      const decoded = await decode(bytes, sizes)
      assert.deepEqual(
        decoded,
        messages.map((json) => ({ last: false, json: JSON.parse(JSON.stringify(json)) as unknown })),
      )
    }),
  )
})

test('a stream that ends within a frame is an error, after the frames before it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.jsonValue(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      anyChunks,
      async (json, part, sizes) => {
        const frame = encodeFrame(json)
        const kept = 1 + Math.floor(part * (frame.length - 2))
        const bytes = Buffer.concat([encodeFrame('whole'), frame.subarray(0, kept)])
        const seen: unknown[] = []
        await assert.rejects(async () => {
          for await (const { json } of decodeFrames(chunksOf(bytes, sizes))) seen.push(json)
        }, /ended within a frame/)
        assert.deepEqual(seen, ['whole'])
      },
    ),
  )
})

test('flag 2 marks the last frame', async () => {
  const last = encodeFrame({})
  last.writeUInt8(2, 0)
  assert.deepEqual(await decode(Buffer.concat([encodeFrame(1), last])), [
    { last: false, json: 1 },
    { last: true, json: {} },
  ])
})

test('a frame over the limit is refused by its header, before any of it is read', async () => {
  const header = Buffer.from([0, 0x01, 0x00, 0x00, 0x01])
  await assert.rejects(decode(header), /16777217 bytes is over the limit/)
})

test('a frame of exactly the limit passes', async () => {
  const text = 'x'.repeat(16 * 1024 * 1024 - 2)
  const [frame] = await decode(encodeFrame(text), [100_000, 1_000_000])
  assert.equal(frame?.json, text)
})

test('what is not JSON is an error', async () => {
  await assert.rejects(decode(Buffer.from([0, 0, 0, 0, 1, 0x7b])), SyntaxError)
  await assert.rejects(decode(Buffer.from([0, 0, 0, 0, 0])), SyntaxError)
})

test('a large frame may come byte by byte', async () => {
  const text = 'x'.repeat(128 * 1024)
  const bytes = encodeFrame(text)
  const everyByte = Array.from({ length: bytes.length }, () => 1)
  assert.deepEqual(await decode(bytes, everyByte), [{ last: false, json: text }])
})
