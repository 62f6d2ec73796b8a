import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyForm, execCall, parseForm } from './command.ts'

test('a line becomes a command with arguments, or goes to a shell as it is', () => {
  const line = `grep -r 'two words' /etc | wc`
  assert.deepEqual(parseForm({ ...emptyForm, line }), {
    ok: true,
    request: { cmd: 'grep', args: ['-r', 'two words', '/etc', '|', 'wc'] },
    shellSyntax: '|',
  })
  assert.deepEqual(parseForm({ ...emptyForm, line, isShell: true }), {
    ok: true,
    request: { cmd: 'sh', args: ['-c', line] },
  })
})

test('what is left empty is left out, and the rest is sent', () => {
  assert.deepEqual(parseForm({ ...emptyForm, line: 'env', envs: '\n \n' }), {
    ok: true,
    request: { cmd: 'env' },
  })
  const form = {
    line: 'env',
    isShell: false,
    cwd: ' /tmp ',
    user: 'nobody',
    envs: 'A=1\n\nB=x=y z ',
    stdin: ' in\n',
    timeoutSec: 5,
  }
  const parsed = parseForm(form)
  assert.deepEqual(parsed, {
    ok: true,
    request: { cmd: 'env', cwd: '/tmp', user: 'nobody', envs: { A: '1', B: 'x=y z ' }, stdin: ' in\n' },
  })
})

test('says which field is wrong', () => {
  const problem = (form: Partial<typeof emptyForm>): unknown => {
    const parsed = parseForm({ ...emptyForm, ...form })
    return parsed.ok ? undefined : [parsed.field, parsed.message]
  }
  assert.deepEqual(problem({}), ['cmd', 'Type a command first'])
  assert.deepEqual(problem({ isShell: true, line: ' ' }), ['cmd', 'Type a command first'])
  assert.deepEqual(problem({ line: `echo "` }), ['cmd', 'A quote is not closed: "'])
  assert.deepEqual(problem({ line: 'env', envs: 'A=1\nB' }), ['envs', 'Line 2 is not NAME=value'])
  assert.deepEqual(problem({ line: 'env', envs: '=1' }), ['envs', 'Line 1 is not NAME=value'])
})

test('as one call it has the longest timeout there is, unless one is set', () => {
  const request = { cmd: 'true' }
  const path = '/v1/sandboxes/sb-1/exec'
  assert.deepEqual(execCall('sb-1', request, null), {
    method: 'POST',
    path,
    json: { cmd: 'true', timeout_sec: 3_600 },
  })
  assert.deepEqual(execCall('sb-1', request, 5).json, { cmd: 'true', timeout_sec: 5 })
})
