// The same words as a real shell gives.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { parseCommandLine } from './command-line.ts'

function wordsOfShell(line: string): string[] {
  const script = `for each in ${line}; do printf '%s\\0' "$each"; done`
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
}

test('gives the words that a shell gives', () => {
  const lines = [
    'echo hello world',
    '  spaced \t out  ',
    `echo 'single $HOME "double"' "double 'single'" plain`,
    `a\\ b c\\'d "x\\"y\\\\z\\n"`,
    `'' "" a''b`,
    `pre'fix 'suf"fix "`,
    `--name='it'\\''s' ü=🐦`,
    `'line\ntwo'`,
  ]
  for (const line of lines)
    assert.deepEqual(parseCommandLine(line), { ok: true, words: wordsOfShell(line) }, line)
})

test('an empty line has no words', () => {
  assert.deepEqual(parseCommandLine(' \n '), { ok: true, words: [] })
})

test('says what is not closed', () => {
  assert.deepEqual(parseCommandLine(`echo 'a`), { ok: false, message: "A quote is not closed: '" })
  assert.deepEqual(parseCommandLine(`echo "a\\"`), { ok: false, message: 'A quote is not closed: "' })
  assert.deepEqual(parseCommandLine('echo \\'), { ok: false, message: 'A backslash stands at the end' })
})

test('notices what only a shell understands, unless it is quoted', () => {
  const syntaxOf = (line: string): string | undefined => {
    const parsed = parseCommandLine(line)
    return parsed.ok ? parsed.shellSyntax : undefined
  }
  assert.equal(syntaxOf('ls | wc'), '|')
  assert.equal(syntaxOf('echo $HOME > a'), '$')
  assert.equal(syntaxOf('rm *.txt'), '*')
  assert.equal(syntaxOf(`echo '$HOME | *' \\$HOME`), undefined)
})
