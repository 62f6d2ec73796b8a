import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Output, plain } from './output.ts'

test('what comes on one stream is joined, and the order of both is kept', () => {
  const output = new Output()
  output.append('stdout', 'a')
  output.append('stdout', 'b\n')
  output.append('stderr', 'c\n')
  output.append('stdout', 'd\n')
  const texts = (choice: 'all' | 'stdout' | 'stderr'): string[] =>
    output.tail(choice).pieces.map(({ text }) => text)
  assert.deepEqual(texts('all'), ['ab\n', 'c\n', 'd\n'])
  assert.deepEqual(texts('stdout'), ['ab\n', 'd\n'])
  assert.deepEqual(texts('stderr'), ['c\n'])
  assert.equal(output.texts('all').join(''), 'ab\nc\nd\n')
})

test('of a long output the end is shown, and all is kept', () => {
  const output = new Output()
  const line = `${'x'.repeat(99)}\n`
  for (let count = 0; count < 10_000; count += 1) output.append('stdout', line)
  output.append('stdout', 'the end')
  const { pieces, earlierLength } = output.tail('all')
  const shown = pieces.map(({ text }) => text).join('')
  assert.ok(shown.endsWith('the end'))
  assert.ok(shown.length < 300_000, `${shown.length} characters`)
  assert.equal(earlierLength + shown.length, 1_000_007)
  assert.equal(output.texts('all').join('').length, 1_000_007)
  assert.equal(output.droppedLength, 0)
})

test('pieces end with lines, whatever the chunks are', () => {
  const output = new Output()
  const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index}\n`).join('')
  for (let at = 0; at < lines.length; at += 333) output.append('stdout', lines.slice(at, at + 333))
  output.append('stdout', lines)
  const texts = output.texts('all')
  assert.equal(texts.join(''), lines + lines)
  assert.ok(texts.length > 5 && texts.every((text) => text.endsWith('\n')))
  const long = new Output()
  long.append('stdout', 'x'.repeat(10_000))
  assert.equal(long.texts('all').join('').length, 10_000)
})

test('short lines are bounded, too', () => {
  const output = new Output()
  for (let count = 0; count < 100; count += 1) output.append('stdout', 'y\n'.repeat(4_000))
  const { pieces } = output.tail('all')
  const shown = pieces.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0)
  assert.ok(shown >= 3_000 && shown < 6_000, `${shown} lines`)
})

test('what alternates between the streams is bounded in pieces, too', () => {
  const output = new Output()
  for (let count = 0; count < 5_000; count += 1) output.append(count % 2 === 0 ? 'stdout' : 'stderr', 'x\n')
  assert.equal(output.tail('all').pieces.length, 500)
})

test('memory is bounded: the oldest goes first', () => {
  const output = new Output()
  const chunk = 'y'.repeat(1_024 * 1_024)
  output.append('stderr', 'first')
  for (let count = 0; count < 70; count += 1) output.append('stdout', chunk)
  const kept = output.texts('all').reduce((sum, text) => sum + text.length, 0)
  assert.ok(kept <= 64 * 1_024 * 1_024, `${kept} characters`)
  assert.equal(kept + output.droppedLength, 70 * chunk.length + 'first'.length)
  assert.deepEqual(output.texts('stderr'), [])
})

test('who shows it is told once for much that comes at once', async () => {
  const output = new Output()
  let told = 0
  const isTold = new Promise<void>((resolve) => {
    output.subscribe(() => {
      told += 1
      resolve()
    })
  })
  for (let count = 0; count < 100; count += 1) output.append('stdout', 'x')
  const before = output.version()
  await isTold
  assert.equal(told, 1)
  assert.notEqual(output.version(), before)
})

test('colours are not shown as letters', () => {
  assert.equal(plain('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007text\r\n\u001b[2Kx'), 'red text\nx')
})
