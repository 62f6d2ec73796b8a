import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'

describe('the reference at /docs', () => {
  let platform: Platform

  before(async () => {
    platform = await createPlatform()
  })

  after(() => platform.remove())

  it('is a page whose parts all come from this server', async () => {
    const { api } = platform
    const page = await api.call<string>('getDocs')
    assert.equal(page.status, 200)
    assert.ok(!/https?:/.test(page.body))
    const parts = [...page.body.matchAll(/(?:src|href)="\/docs\/([^"]+)"/g)].map(([, file = '']) => file)
    assert.deepEqual(parts, ['swagger-ui.css', 'swagger-ui-bundle.js', 'start.js'])
    for (const file of parts) {
      const { body, headers } = await api.call<string>('getDocsFile', { params: { file } })
      assert.ok(body.length > 100)
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
    }
    const start = await api.call<string>('getDocsFile', { params: { file: 'start.js' } })
    assert.match(start.body, /url: '\/openapi\.yaml'/)
  })

  it('may load from nowhere else, run no inline script and not be framed', async () => {
    const { headers } = await platform.api.call('getDocs')
    const policy = headers.get('content-security-policy') ?? ''
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
    ])
      assert.ok(policy.split('; ').includes(part), part)
    assert.ok(!/https?:|\*/.test(policy))
  })

  it('serves no other file', async () => {
    for (const file of [
      'package.json',
      'index.html',
      '../package.json',
      'swagger-ui-bundle.js.map',
      'toString',
    ])
      await platform.api.refused('not_found', 'getDocsFile', { params: { file } })
  })
})
