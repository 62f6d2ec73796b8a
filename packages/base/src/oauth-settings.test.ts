import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOAuthSettings } from './oauth-settings.ts'

const CP_PUBLIC_URL = 'https://api.example.com'
const pair = { OAUTH_GITHUB_CLIENT_ID: 'id', OAUTH_GITHUB_CLIENT_SECRET: 'secret' }

function mistakesIn(environment: NodeJS.ProcessEnv): string[] {
  return readOAuthSettings(environment, ['github', 'google']).mistakes
}

test('nothing is configured when nothing is set, or set to nothing', () => {
  const none = { configured: {}, mistakes: [] }
  assert.deepEqual(readOAuthSettings({}), none)
  assert.deepEqual(
    readOAuthSettings({ OAUTH_GITHUB_CLIENT_ID: '', OAUTH_REDIRECT_URL: 'x', CP_PUBLIC_URL }),
    none,
  )
})

test('providers are told apart by name, each with its own URLs', () => {
  const { configured, mistakes } = readOAuthSettings({
    CP_PUBLIC_URL,
    ...pair,
    OAUTH_GITHUB_BASE_URL: 'https://GitHub.example.com/',
    OAUTH_GITHUB_API_URL: 'http://127.0.0.1:4001/api/v3/',
    OAUTH_GOOGLE_CLIENT_ID: 'other',
    OAUTH_GOOGLE_CLIENT_SECRET: 'other secret',
  })
  assert.deepEqual(mistakes, [])
  assert.deepEqual(configured, {
    github: {
      clientId: 'id',
      clientSecret: 'secret',
      baseUrl: 'https://github.example.com',
      apiUrl: 'http://127.0.0.1:4001/api/v3',
    },
    google: { clientId: 'other', clientSecret: 'other secret' },
  })
})

test('half a configuration is one line that names what is missing', () => {
  for (const [present, missing] of [
    ['CLIENT_ID', 'CLIENT_SECRET'],
    ['CLIENT_SECRET', 'CLIENT_ID'],
  ])
    assert.deepEqual(mistakesIn({ [`OAUTH_GITHUB_${present}`]: 'x' }), [
      `OAUTH_GITHUB_${missing}: is not set although OAUTH_GITHUB_${present} is: set both, or neither`,
    ])
})

test('a provider needs CP_PUBLIC_URL', () => {
  const [line, ...more] = mistakesIn(pair)
  assert.match(line ?? '', /^CP_PUBLIC_URL: is not set, and OAuth needs it/)
  assert.deepEqual(more, [])
  assert.equal(mistakesIn({ ...pair, CP_PUBLIC_URL: '' }).length, 1)
})

test('a URL must be one, and https but for this machine', () => {
  const linesFor = (url: string): string[] =>
    mistakesIn({ CP_PUBLIC_URL, ...pair, OAUTH_GITHUB_BASE_URL: url })
  for (const good of [
    'https://github.example.com/x',
    'http://localhost:1',
    'http://127.1.2.3',
    'http://[::1]:80',
  ])
    assert.deepEqual(linesFor(good), [], good)
  const bad = [
    'github.example.com',
    'http://github.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'ftp://localhost',
    'https://',
    'https://user:pass@x.com',
    'https://x.com?a=b',
    'https://x.com#a',
    'https://x.com/\n',
    'javascript:alert(1)',
  ]
  for (const url of bad) {
    const lines = linesFor(url)
    assert.equal(lines.length, 1, url)
    assert.match(lines[0] ?? '', /^OAUTH_GITHUB_BASE_URL: must be an https:\/\/ URL such as .*, not ".*"$/)
  }
})

test('an unknown provider is named, where it is known which there are', () => {
  const unknown = { CP_PUBLIC_URL, OAUTH_SLACK_CLIENT_ID: 'x', OAUTH_SLACK_CLIENT_SECRET: 'y' }
  assert.deepEqual(mistakesIn(unknown), [
    'OAUTH_SLACK_CLIENT_ID: there is no OAuth provider "slack"; there is github, google',
  ])
  assert.deepEqual(readOAuthSettings(unknown).mistakes, [])
})
