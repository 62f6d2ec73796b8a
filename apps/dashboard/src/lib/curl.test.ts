// What is copied is pasted: real shells read it, and what curl gets is what was meant.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { run } from '@wrenn/base'
import { curlCommand, quote, type ApiCall } from './curl.ts'

const nasty = `it's "a" $HOME \`id\` $(id) \\ \n line two; & | > < * ? ~ ! # ü 🐦`

/** The arguments that curl gets when a shell runs the command. */
function argumentsOf(shell: string, call: ApiCall): string[] {
  const command = curlCommand(call, 'https://wrenn.example.com')
  const script = `curl() { for each in "$@"; do printf '%s\\0' "$each"; done; }\n${command}`
  const env = { PATH: process.env['PATH'], WRENN_API_KEY: 'wrn_secret' }
  return execFileSync(shell, ['-c', script], { encoding: 'utf8', env }).split('\0').slice(0, -1)
}

for (const shell of ['sh', 'bash']) {
  test(`${shell} gives curl every value untouched, and the key of the environment`, () => {
    const json = { cmd: nasty, args: [nasty, ''] }
    const call: ApiCall = { method: 'POST', path: `/v1/sandboxes/${encodeURIComponent("a'b")}/exec`, json }
    assert.deepEqual(argumentsOf(shell, call), [
      `https://wrenn.example.com/v1/sandboxes/a'b/exec`,
      ...['-H', 'X-API-Key: wrn_secret'],
      ...['-H', 'Content-Type: application/json'],
      ...['-d', JSON.stringify(json)],
    ])
  })

  test(`${shell} passes any text through its quotes`, () => {
    for (const value of [nasty, '', "'", "''", '-x', '\\', '$A'])
      assert.equal(execFileSync(shell, ['-c', `printf %s ${quote(value)}`], { encoding: 'utf8' }), value)
  })
}

test('says the method where curl would not choose it', () => {
  const of = (call: ApiCall): string => curlCommand(call, 'http://localhost:8080')
  const key = '-H "X-API-Key: $WRENN_API_KEY"'
  assert.equal(
    of({ method: 'GET', path: '/v1/sandboxes' }),
    `curl http://localhost:8080/v1/sandboxes \\\n  ${key}`,
  )
  assert.match(of({ method: 'DELETE', path: '/v1/x' }), /-X DELETE/)
  assert.match(of({ method: 'POST', path: '/v1/x/pause' }), /-X POST/)
  assert.ok(!of({ method: 'POST', path: '/v1/x', json: {} }).includes('-X'))
})

test('takes the token of a sign-in for what is refused to API keys', () => {
  const call: ApiCall = { method: 'DELETE', path: '/v1/api-keys/key-x', credential: 'token' }
  const command = curlCommand(call, 'http://localhost:8080')
  assert.match(command, /-H "Authorization: Bearer \$WRENN_TOKEN"/)
  assert.ok(!command.includes('WRENN_API_KEY'))
})

test('the real curl sends a form with its file and values as they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wrenn-curl-'))
  const file = join(folder, `a "b"; c, 'd'\\e`)
  writeFileSync(file, 'the content')
  let body = ''
  const server = createServer((request, response) => {
    void text(request).then((all) => {
      body = all
      response.end('ok')
    })
  }).listen(0, '127.0.0.1')
  try {
    await new Promise((resolve) => server.once('listening', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const form = [
      { name: 'path', value: '@/etc/passwd;type=x' },
      { name: 'file', file },
    ]
    const command = curlCommand({ method: 'POST', path: '/v1/x', form }, origin)
    const { stdout } = await run('bash', ['-c', `${command} -sS`], { timeoutMs: 60_000 })
    assert.equal(stdout, 'ok')
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
  }
  const parts = body.split(/--------------------------\S+/)
  assert.equal(parts.length, 4)
  assert.ok(parts[1]?.endsWith('\r\n\r\n@/etc/passwd;type=x\r\n'), parts[1])
  assert.ok(parts[2]?.endsWith('\r\n\r\nthe content\r\n'), parts[2])
})
