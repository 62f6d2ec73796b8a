import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publicContract } from './contract.ts'
import { parseDocument } from './document.ts'

test('the served contract names the providers that there are, and is otherwise the one in the repository', () => {
  const written = publicContract().text
  assert.equal(publicContract({ oauthProviders: ['github'] }).text, written)
  const { text } = publicContract({ oauthProviders: ['github', 'google'] })
  assert.equal(text, written.replaceAll('enum: [github]', 'enum: [github, google]'))
  const enums = parseDocument(text)
    .operations.flatMap(({ parameters }) => parameters)
    .filter(({ name }) => name === 'provider')
    .map(({ schema }) => schema['enum'])
  assert.deepEqual(enums, [
    ['github', 'google'],
    ['github', 'google'],
  ])
})

test('a path that names none of an enum is not refused as a bad request: its handler says that it is not there', () => {
  const validate = publicContract().operations.get('oauthRedirect')?.validate
  assert.equal(validate?.params({ provider: 'other' }), undefined)
  const query = publicContract().operations.get('listSnapshots')?.validate.query
  assert.match(query?.({ type: 'other' }) ?? '', /^type: must be one of/)
})
