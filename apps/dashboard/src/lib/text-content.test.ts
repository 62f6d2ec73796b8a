import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText, encodeText, type LineEnds } from './text-content.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

test('what is not edited is saved byte by byte as it was', () => {
  for (const text of ['', 'a', 'a\nb\n', 'a\r\nb\r\n', '\ufeffa\n', 'größer 🐦\n\n', '\r\n']) {
    const content = decodeText(bytesOf(text))
    assert.ok(content)
    assert.ok(!content.text.includes('\r'))
    assert.deepEqual(encodeText(content), bytesOf(text))
  }
})

test('line ends are told apart', () => {
  const cases: [string, LineEnds][] = [
    ['', 'lf'],
    ['a\nb', 'lf'],
    ['a\r\nb', 'crlf'],
    ['a\r\nb\n', 'mixed'],
    ['a\rb', 'mixed'],
  ]
  for (const [text, ends] of cases) assert.equal(decodeText(bytesOf(text))?.lineEnds, ends)
})

test('a new line in a file with CR LF ends as the others do', () => {
  const content = decodeText(bytesOf('a\r\nb'))
  assert.ok(content)
  assert.deepEqual(encodeText({ ...content, text: `${content.text}\nc` }), bytesOf('a\r\nb\r\nc'))
})

test('bytes that are no text are not taken for it', () => {
  for (const bytes of [[0], [97, 0, 98], [0xff, 0xfe], [0xc3], [0x80]])
    assert.equal(decodeText(Uint8Array.from(bytes)), undefined)
})
