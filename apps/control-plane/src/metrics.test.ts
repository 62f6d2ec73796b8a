import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlatform } from '../../../test/support/control-plane.ts'

test('metrics tell requests, phases and sandboxes by status, on an address of their own', async () => {
  const platform = await createPlatform()
  try {
    const { api, metricsUrl } = await platform.another({ metricsListen: { host: '127.0.0.1', port: 0 } })
    const as = await api.account()
    for (let n = 0; n < 2; n += 1) await api.create(as)
    await api.refused('not_found', 'getSandbox', { as, params: { id: 'none' } })
    const text = await (await fetch(`${metricsUrl}/metrics`)).text()
    assert.match(text, /^wrenn_request_seconds_count\{op="createSandbox",status="201"\} 2$/m)
    assert.match(text, /^wrenn_request_seconds_count\{op="getSandbox",status="404"\} 1$/m)
    assert.match(text, /^wrenn_phase_seconds_count\{op="createSandbox",phase="place"\} 2$/m)
    assert.match(text, /^wrenn_sandboxes\{status="running"\} 2$/m)
    assert.equal((await fetch(`${metricsUrl}/v1/sandboxes`)).status, 404)
    assert.equal((await fetch(`${api.url}/metrics`)).status, 404)
  } finally {
    await platform.remove()
  }
})
