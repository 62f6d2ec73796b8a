import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indent, indentUnit, newLine, outdent, type Edit } from './indent.ts'

/** `[` and `]` are the selection, `|` an empty one. */
function apply(
  marked: string,
  edit: (text: string, selection: { start: number; end: number }) => Edit | undefined,
) {
  const start = marked.search(/[[|]/)
  const text = marked.replaceAll(/[[\]|]/g, '')
  const end = marked.includes('[') ? marked.indexOf(']') - 1 : start
  const done = edit(text, { start, end })
  if (!done) return undefined
  const { from, to, insert, selection } = done
  const after = text.slice(0, from) + insert + text.slice(to)
  const middle = after.slice(selection.start, selection.end)
  const mark = middle === '' ? '|' : `[${middle}]`
  return after.slice(0, selection.start) + mark + after.slice(selection.end)
}

const tab = (marked: string) => apply(marked, (text, selection) => indent(text, selection, '  '))
const shiftTab = (marked: string) => apply(marked, (text, selection) => outdent(text, selection, '  '))
const enter = (marked: string) => apply(marked, newLine)

test('tab indents at the cursor, or every line that is selected', () => {
  assert.equal(tab('a|b'), 'a  |b')
  assert.equal(tab('a[b]c'), 'a  |c')
  assert.equal(tab('a\n[b\n\nc\n]d'), 'a\n  [b\n\n  c\n]d')
  assert.equal(tab('x[y\nz]'), '  x[y\n  z]')
})

test('shift and tab takes a step away, and no more than there is', () => {
  assert.equal(shiftTab('    a|b'), '  a|b')
  assert.equal(shiftTab(' a|'), 'a|')
  assert.equal(shiftTab('\ta|'), 'a|')
  assert.equal(shiftTab('[  a\n   b]'), '[a\n b]')
  assert.equal(shiftTab('a|'), undefined)
  assert.equal(shiftTab(' | a'), '|a')
})

test('a new line is indented as the one before', () => {
  assert.equal(enter('  a|b'), '  a\n  |b')
  assert.equal(enter('\ta\n|'), '\ta\n\n|')
  assert.equal(enter('  [a]'), '  \n  |')
})

test('a step is what the text has', () => {
  assert.equal(indentUnit('a:\n  b:\n    c'), '  ')
  assert.equal(indentUnit('all:\n\tx'), '\t')
  assert.equal(indentUnit('/*\n * a\n */\n    b'), '    ')
  assert.equal(indentUnit(''), '    ')
})
