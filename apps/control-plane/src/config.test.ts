import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultRateLimits, SettingsError } from '@wrenn/base'
import { parseConfig } from './config.ts'

const required = { DATABASE_URL: 'postgres://wrenn@/wrenn?host=/run/wrenn' }

test('everything but the database has a default', () => {
  assert.deepEqual(parseConfig(required), {
    listen: { host: '127.0.0.1', port: 8080 },
    databaseUrl: required.DATABASE_URL,
    jwtSecret: undefined,
    dataFolder: '/var/lib/wrenn',
    agentSocket: '/var/lib/wrenn/run/agent.sock',
    dashboardFolder: undefined,
    logLevel: 'info',
    signups: 'open',
    rateLimits: defaultRateLimits,
    limits: {
      maxRunning: undefined,
      maxPaused: undefined,
      maxSnapshotMb: undefined,
      pausedRetentionSec: undefined,
    },
    metricsListen: undefined,
    corsOrigins: [],
    trustedProxies: [],
    oauth: { configured: {}, publicUrl: undefined, redirectUrl: undefined },
  })
})

test('limits of teams are whole numbers, and retention is in days', () => {
  const limits = { TEAM_MAX_RUNNING: '0', TEAM_MAX_PAUSED: '7', TEAM_MAX_SNAPSHOT_MB: '1024' }
  assert.deepEqual(parseConfig({ ...required, ...limits, PAUSED_RETENTION_DAYS: '2' }).limits, {
    maxRunning: 0,
    maxPaused: 7,
    maxSnapshotMb: 1_024,
    pausedRetentionSec: 172_800,
  })
  for (const [name, value] of [
    ['TEAM_MAX_RUNNING', '-1'],
    ['TEAM_MAX_PAUSED', 'none'],
    ['TEAM_MAX_SNAPSHOT_MB', '1.5'],
    ['PAUSED_RETENTION_DAYS', '0'],
  ] as const)
    assert.throws(() => parseConfig({ ...required, [name]: value }), {
      name: 'SettingsError',
      message: new RegExp(`^${name}: must be a whole number`),
    })
})

const github = { OAUTH_GITHUB_CLIENT_ID: 'id', OAUTH_GITHUB_CLIENT_SECRET: 'a secret' }

test('the frontend is where the API is, unless it is said; its origin may call the API, unless others are named', () => {
  const CP_PUBLIC_URL = 'https://API.example.com:443/wrenn/'
  const { oauth, corsOrigins } = parseConfig({ ...required, ...github, CP_PUBLIC_URL })
  const publicUrl = 'https://api.example.com/wrenn'
  const configured = { github: { clientId: 'id', clientSecret: 'a secret' } }
  assert.deepEqual(oauth, { configured, publicUrl, redirectUrl: publicUrl })
  assert.deepEqual(corsOrigins, ['https://api.example.com'])
  const urls = { CP_PUBLIC_URL, OAUTH_REDIRECT_URL: 'https://app.example.com/ui' }
  const other = parseConfig({ ...required, ...github, ...urls })
  assert.equal(other.oauth.redirectUrl, 'https://app.example.com/ui')
  assert.deepEqual(other.corsOrigins, ['https://app.example.com'])
  const CORS_ORIGINS = 'https://x.example.com'
  assert.deepEqual(parseConfig({ ...required, ...urls, CORS_ORIGINS }).corsOrigins, [CORS_ORIGINS])
})

test('a provider that does not exist is a mistake', () => {
  const CP_PUBLIC_URL = 'https://api.example.com'
  const pair = { OAUTH_GITHUBB_CLIENT_ID: 'id', OAUTH_GITHUBB_CLIENT_SECRET: 'a secret' }
  const environment = { ...required, CP_PUBLIC_URL, ...pair }
  assert.throws(() => parseConfig(environment), {
    name: 'SettingsError',
    message: 'OAUTH_GITHUBB_CLIENT_ID: there is no OAuth provider "githubb"; there is github',
  })
})

test('addresses of both families and names are understood', () => {
  const listen = (text: string) => parseConfig({ ...required, CP_LISTEN_ADDR: text }).listen
  assert.deepEqual(listen('0.0.0.0:80'), { host: '0.0.0.0', port: 80 })
  assert.deepEqual(listen('[::1]:8080'), { host: '::1', port: 8080 })
  assert.deepEqual(listen('localhost:0'), { host: 'localhost', port: 0 })
})

test('every mistake is a line that names its variable', () => {
  const mistakes = {
    CP_LISTEN_ADDR: '8080',
    DATABASE_URL: 'mysql://x',
    JWT_SECRET: 'short',
    WRENN_DIR: 'relative',
    LOG_LEVEL: 'loud',
    SIGNUPS: 'everybody',
    RATE_LIMITS: 'creates=many',
    CP_METRICS_ADDR: '9091',
    CORS_ORIGINS: '*',
    TRUSTED_PROXIES: 'loopback',
    CP_PUBLIC_URL: 'http://api.example.com',
    OAUTH_REDIRECT_URL: 'app.example.com',
  }
  assert.throws(
    () => parseConfig(mistakes),
    (error) => {
      assert.ok(error instanceof SettingsError)
      assert.deepEqual(new Set(error.lines.map((line) => line.split(':')[0])), new Set(Object.keys(mistakes)))
      assert.ok(!error.message.includes('short:'), 'a secret is not shown')
      return true
    },
  )
  for (const text of ['host', ':8080', 'host:', 'host:99999', '::1:80', '[::1]', 'a b:80', 'http://h:80']) {
    assert.throws(() => parseConfig({ ...required, CP_LISTEN_ADDR: text }), SettingsError, text)
  }
  assert.throws(() => parseConfig({}), /^SettingsError: DATABASE_URL: is not set/)
})

test('lists are understood, with commas and spaces', () => {
  const { signups, corsOrigins, trustedProxies } = parseConfig({
    ...required,
    SIGNUPS: 'Example.com,example.org',
    CORS_ORIGINS: 'https://app.example.com, http://localhost:5173',
    TRUSTED_PROXIES: '10.0.0.0/8 ::1,fd00::/8',
  })
  assert.deepEqual(signups, { domains: ['example.com', 'example.org'] })
  assert.deepEqual(corsOrigins, ['https://app.example.com', 'http://localhost:5173'])
  assert.deepEqual(trustedProxies, ['10.0.0.0/8', '::1', 'fd00::/8'])
  for (const CORS_ORIGINS of [
    'https://app.example.com/',
    'app.example.com',
    'null',
    'https://*.example.com',
  ]) {
    assert.throws(() => parseConfig({ ...required, CORS_ORIGINS }), SettingsError, CORS_ORIGINS)
  }
  for (const TRUSTED_PROXIES of ['10.0.0.0/33', 'proxy', '::1/129', '10.0.0.0/'])
    assert.throws(() => parseConfig({ ...required, TRUSTED_PROXIES }), SettingsError, TRUSTED_PROXIES)
})

test('rate limits are changed one by one, or off', () => {
  const limits = (text: string) => parseConfig({ ...required, RATE_LIMITS: text }).rateLimits
  assert.equal(limits('off'), 'off')
  assert.deepEqual(limits('creates=600/m, signup=1/s'), {
    ...defaultRateLimits,
    creates: { count: 600, windowSec: 60 },
    signup: { count: 1, windowSec: 1 },
  })
  for (const text of ['on', 'creates=0/m', 'creates=5', 'creates=5/d', 'toString=5/m', 'creates=-1/s'])
    assert.throws(() => limits(text), /RATE_LIMITS: must be off, or limits such as/, text)
})
