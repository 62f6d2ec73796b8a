// Forms cut into any chunks, cut off at any byte, and with rubbish in them: read whole, or refused, never half.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AppError } from '@wrenn/base'
import { readUploadForm } from './upload-form.ts'

const contentType = 'multipart/form-data; boundary=b'
const content = 'first\r\n--\r\n--bb\r\nlast'
const pathPart = '--b\r\ncontent-disposition: form-data; name="path"\r\n\r\n/root/ä\n🦜\r\n'
const filePart = `--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n${content.replace('--bb', '-bb')}\r\n`
const forms = [`${pathPart}${filePart}--b--\r\n`, `${filePart}${pathPart}--b--\r\n`].map((text) =>
  Buffer.from(text),
)

/** What a consumer gets in the end: the whole upload, or the code it fails with. */
async function outcome(chunks: Iterable<Buffer>, maxBytes = 1_000): Promise<unknown> {
  const stream = Readable.from(chunks, { objectMode: false })
  try {
    const form = await readUploadForm({ contentType, stream }, maxBytes)
    const bytes = await buffer(form.content)
    return { path: await form.path, content: bytes.toString() }
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

function inChunks(bytes: Buffer, size: number): Buffer[] {
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
}

const whole = { path: '/root/ä\n🦜', content: content.replace('--bb', '-bb') }

test('a form in chunks of any size', async () => {
  for (const form of forms) {
    for (const size of [1, 2, 3, 7, 50, 1_000]) assert.deepEqual(await outcome(inChunks(form, size)), whole)
  }
})

test('a form that is cut off before its last boundary is no upload', async () => {
  for (const form of forms) {
    for (let length = 0; length < form.length - 4; length += 1)
      assert.equal(
        await outcome(inChunks(form.subarray(0, length), 20)),
        'invalid_request',
        `${length} bytes`,
      )
  }
})

test('a file at the cap is taken, one byte more is not', async () => {
  for (const form of forms) {
    const size = Buffer.byteLength(whole.content)
    assert.deepEqual(await outcome([form], size), whole)
    assert.equal(await outcome([form], size - 1), 'too_large')
  }
})

test('rubbish is refused, or read as what it is', async () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(
        pathPart,
        filePart,
        '--b',
        '--b--',
        '\r\n',
        '\r\n\r\n',
        'content-disposition: form-data',
      ),
      fc.string(),
    ),
  )
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 200 }), async (parts, size) => {
      const result = await outcome(inChunks(Buffer.from(parts.join('')), size))
      assert.ok(typeof result === 'string' || (result as typeof whole).path.startsWith('/'))
    }),
    { numRuns: 500 },
  )
})

test('nobody reads the content: no more than a little is taken from the body', async () => {
  let taken = 0
  const endless = function* (): Generator<Buffer> {
    yield Buffer.from(pathPart)
    yield Buffer.from('--b\r\ncontent-disposition: form-data; name="file"\r\n\r\n')
    for (;;) {
      taken += 65_536
      yield Buffer.alloc(65_536)
    }
  }
  const body = { contentType, stream: Readable.from(endless(), { objectMode: false }) }
  const form = await readUploadForm(body, Infinity)
  assert.equal(form.path, whole.path)
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(taken < 1_000_000, `${taken} bytes`)
  form.content.destroy()
  body.stream.destroy()
})
