import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinPath, nameOf, nameProblem, parentOf, pathSteps, resolvePath, visibleText } from './file-paths.ts'

test('paths are put together and taken apart, at the root too', () => {
  assert.equal(joinPath('/', 'a'), '/a')
  assert.equal(joinPath('/a b', 'c\nd'), '/a b/c\nd')
  assert.deepEqual(['/', '/a', '/a/b'].map(parentOf), ['/', '/', '/a'])
  assert.deepEqual(['/', '/a', '/a/b'].map(nameOf), ['/', 'a', 'b'])
  assert.deepEqual(pathSteps('/a//b'), [
    { name: '/', path: '/' },
    { name: 'a', path: '/a' },
    { name: 'b', path: '/a/b' },
  ])
  assert.deepEqual(pathSteps('/'), [{ name: '/', path: '/' }])
})

test('what is typed, or written in a link, is seen from its folder', () => {
  const cases: [string, string, string][] = [
    ['/usr', '/etc//hosts/', '/etc/hosts'],
    ['/usr', 'bin/./sh', '/usr/bin/sh'],
    ['/usr/lib', '../bin', '/usr/bin'],
    ['/', '../../..', '/'],
    ['/root', ' x', '/root/ x'],
  ]
  for (const [folder, path, resolved] of cases) assert.equal(resolvePath(folder, path), resolved)
})

test('names that no file can have are refused', () => {
  for (const name of ['', 'a/b', '.', '..', 'a\0', 'ü'.repeat(128)]) assert.ok(nameProblem(name), name)
  for (const name of ['a', '...', ' ', `<script>"'`, 'a\nb', '🐦', 'ü'.repeat(127)])
    assert.equal(nameProblem(name), undefined)
})

test('what cannot be seen is shown', () => {
  assert.equal(visibleText('a\nb\t\u007f'), 'a⟨LF⟩b⟨TAB⟩⟨U+007F⟩')
  assert.equal(visibleText('gpj.\u202eexe'), 'gpj.⟨U+202E⟩exe')
  assert.equal(visibleText('\u0085'), '⟨U+0085⟩')
  assert.equal(visibleText(`<script>"' 🐦👩‍👩‍👧 größer`), `<script>"' 🐦👩‍👩‍👧 größer`)
})
