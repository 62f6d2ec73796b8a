// An upload whose path comes last, as the form that the agent passes on to the guest.
import { randomUUID } from 'node:crypto'
import { pipeline, Transform, type Readable } from 'node:stream'

/** RFC 7578. The boundary cannot be guessed, so that no content holds it. */
export function formBody(
  content: Readable,
  path: Promise<string>,
): { contentType: string; stream: Readable } {
  const boundary = randomUUID()
  const head = (field: string): string =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${field}"\r\n\r\n`
  const tail = (path: string): string => `\r\n${head('path')}${path}\r\n--${boundary}--\r\n`
  const form = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, chunk),
    flush: (done) => void path.then((path) => done(null, Buffer.from(tail(path))), done),
  })
  form.push(head('file'))
  const contentType = `multipart/form-data; boundary=${boundary}`
  // What is wrong is the form's error.
  return { contentType, stream: pipeline(content, form, () => undefined) }
}
