// What the fault-injection run takes for a loss, and what for a request that may have happened or not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentOf, differences, type Content, type Seen } from '../../tools/chaos/model.ts'

function written(): Content {
  const content = contentOf('word')
  content.files.set('/a', new Set(['1']))
  content.files.set('/b', new Set(['1', '2']))
  content.files.set('/c', new Set([undefined, '3']))
  content.lines.push(
    { text: 'first', sure: true },
    { text: 'maybe', sure: false },
    { text: 'last', sure: true },
  )
  return content
}

function seen(change: Partial<Seen> = {}): Seen {
  const sums = new Map([
    ['/a', '1'],
    ['/b', '2'],
  ])
  return { word: 'word', sums, lines: ['first', 'last'], ...change }
}

test('what may have happened may be there, or not, at any later place', () => {
  assert.deepEqual(differences(written(), seen()), [])
  assert.deepEqual(differences(written(), seen({ lines: ['first', 'last', 'maybe'] })), [])
  const all = new Map([...seen().sums, ['/b', '1'], ['/c', '3']] as const)
  assert.deepEqual(differences(written(), seen({ sums: all })), [])
})

for (const [what, change] of Object.entries({
  'another memory': { word: 'other' },
  'a file that is gone': { sums: new Map([['/b', '2']]) },
  'a file between old and new': { sums: new Map([...seen().sums, ['/b', '1.5']] as const) },
  'a file that nobody wrote': { sums: new Map([...seen().sums, ['/d', '4']] as const) },
  'a line that is gone': { lines: ['first', 'maybe'] },
  'lines in another order': { lines: ['last', 'first'] },
  'a line twice': { lines: ['first', 'first', 'last'] },
  'a line that nobody wrote': { lines: ['first', 'last', 'other'] },
} satisfies Record<string, Partial<Seen>>)) {
  test(`${what} is a difference`, () => assert.equal(differences(written(), seen(change)).length > 0, true))
}
