import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { z } from 'zod'
import { integerSetting, parseEnvironment, SettingsError } from './environment.ts'

const schema = z.object({
  WRENN_PORT: integerSetting(1, 65_535).default(8080),
  WRENN_DIR: z.string().startsWith('/', 'must be an absolute path').default('/var/lib/wrenn'),
  LOG_LEVEL: z.enum(['info', 'debug']).default('info'),
  SECRET: z.string().optional(),
})

function mistakes(environment: NodeJS.ProcessEnv): string[] {
  try {
    parseEnvironment(schema, environment)
    return []
  } catch (error) {
    assert.ok(error instanceof SettingsError)
    assert.equal(error.message, error.lines.join('\n'))
    return error.lines
  }
}

test('what is not set has its default, and an empty value counts as not set', () => {
  assert.deepEqual(parseEnvironment(schema, { WRENN_PORT: '', SECRET: '', PATH: '/bin' }), {
    WRENN_PORT: 8080,
    WRENN_DIR: '/var/lib/wrenn',
    LOG_LEVEL: 'info',
  })
})

test('every mistake has one line that names its variable, all at once', () => {
  const lines = mistakes({ WRENN_PORT: 'http', WRENN_DIR: 'data', LOG_LEVEL: 'loud', SECRET: 'x' })
  assert.deepEqual(
    lines.map((line) => line.split(':')[0]),
    ['WRENN_PORT', 'WRENN_DIR', 'LOG_LEVEL'],
  )
  assert.equal(lines[0], 'WRENN_PORT: must be a whole number from 1 to 65535, not "http"')
  assert.equal(lines[1], 'WRENN_DIR: must be an absolute path')
  for (const line of lines) assert.doesNotMatch(line, /\n/)
})

test('a required variable that is not there is a mistake too', () => {
  const required = z.object({ WRENN_PORT: integerSetting(1, 10), TOKEN: z.string() })
  assert.throws(
    () => parseEnvironment(required, {}),
    (error) => error instanceof SettingsError && error.lines.length === 2,
  )
})

test('exactly the whole numbers within the bounds are numbers', () => {
  const port = z.object({ PORT: integerSetting(5, 500) })
  const isNumber = (text: string): boolean => {
    try {
      return typeof parseEnvironment(port, { PORT: text }).PORT === 'number'
    } catch {
      return false
    }
  }
  fc.assert(fc.property(fc.nat(1000), (number) => isNumber(`${number}`) === (number >= 5 && number <= 500)))
  for (const text of ['-6', '6.0', '6e1', '0x10', ' 6', '6\n', '٦', 'Infinity', '9'.repeat(400)])
    assert.equal(isNumber(text), false, text)
})
