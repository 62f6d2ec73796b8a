import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { SettingsError } from '@wrenn/base'
import { assertShortEnough, localUrl, parseSettings, readEnvironment } from './settings.ts'

describe('settings', () => {
  it('have defaults for everything', () => {
    const settings = parseSettings({})
    assert.deepEqual(settings.listen, { host: '127.0.0.1', port: 8080 })
    assert.equal(settings.folder, '/var/lib/wrenn')
    assert.equal(settings.databaseUrl, undefined)
    assert.equal(settings.onStop, 'pause')
  })

  it('report every mistake at once, a line each', () => {
    assert.throws(
      () =>
        parseSettings({
          CP_LISTEN_ADDR: 'localhost',
          WRENN_DIR: 'data',
          DATABASE_URL: 'mysql://db',
          JWT_SECRET: 'short',
          LOG_LEVEL: 'loud',
          SIGNUPS: 'everybody',
          RATE_LIMITS: 'on',
          TEAM_MAX_RUNNING: 'many',
          PAUSED_RETENTION_DAYS: '0',
          WRENN_DISK_MB: '4 GB',
          WRENN_DNS: '1.1.1.1,resolver',
          WRENN_ON_STOP: 'yes',
          CP_PUBLIC_URL: 'http://wrenn.example.com',
          OAUTH_GITHUB_CLIENT_ID: 'id',
        }),
      (error) => error instanceof SettingsError && error.lines.length === 14,
    )
  })

  it('take any address, also IPv6, and know how to reach it', () => {
    assert.equal(addressOf('10.0.0.5:80'), 'http://10.0.0.5:80')
    assert.equal(addressOf('0.0.0.0:8080'), 'http://127.0.0.1:8080')
    assert.equal(addressOf('[::]:8080'), 'http://[::1]:8080')
    for (const wrong of ['127.0.0.1:0', '127.0.0.1:65536', '8080', ':8080', '::1:8080']) {
      assert.throws(() => addressOf(wrong), /CP_LISTEN_ADDR: must be ADDRESS:PORT/)
    }
  })

  it("keep npm's own variables from the processes", () => {
    assert.deepEqual(parseSettings({ npm_config_registry: 'x', SIGNUPS: 'open' }).environment, {
      SIGNUPS: 'open',
    })
  })

  it('come from .env unless the environment has them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wrenn-settings-'))
    try {
      await writeFile(join(folder, '.env'), 'LOG_LEVEL=debug # more\nWRENN_DIR="/srv/my wrenn"\n')
      const environment = await readEnvironment(join(folder, '.env'), { LOG_LEVEL: 'warn' })
      assert.deepEqual(environment, { LOG_LEVEL: 'warn', WRENN_DIR: '/srv/my wrenn' })
      assert.deepEqual(await readEnvironment(join(folder, 'none'), { A: 'b' }), { A: 'b' })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('bound the folder by what a socket path holds', () => {
    assertShortEnough(`/${'x'.repeat(59)}`)
    assert.throws(() => assertShortEnough(`/${'ü'.repeat(30)}`), /at most 60 bytes.* has 61/)
  })
})

function addressOf(text: string): string {
  return localUrl(parseSettings({ CP_LISTEN_ADDR: text }).listen)
}
