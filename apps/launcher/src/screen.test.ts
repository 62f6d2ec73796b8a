import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { bootstrapPhases, Screen } from './screen.ts'

describe('the screen', () => {
  it('shows on a terminal what a phase is doing, and lines never land in the live line', async () => {
    let text = ''
    const screen = new Screen({ isTTY: true, columns: 30, write: (piece) => (text += piece) })
    await screen.phase('images', async (step) => {
      step('kernel and initramfs, which takes long')
      await pollUntil('the live line', () => text.includes('kernel') || undefined, { timeoutMs: 5_000 })
      screen.line('by the way')
    })
    assert.match(
      text.replaceAll('\r\u001b[K', '<'),
      /^(<images: kernel and initramfs,)+<by the way\nimages: done in \d\.\d s\n$/,
    )
    assert.deepEqual(
      screen.phases.map(({ name }) => name),
      ['images'],
    )
  })

  it('prints nothing but the result of a quick phase where there is no terminal', async () => {
    let text = ''
    const screen = new Screen(
      { write: (piece) => (text += piece) },
      bootstrapPhases(' packages=1200 modules=34'),
    )
    await screen.phase('postgres', () => Promise.resolve())
    await assert.rejects(screen.phase('agent', () => Promise.reject(new Error('no'))))
    assert.match(text, /^postgres: done in \d\.\d s\n$/)
    assert.deepEqual(screen.phases.slice(0, 2), [
      { name: 'packages', durationMs: 1200 },
      { name: 'modules', durationMs: 34 },
    ])
  })
})
