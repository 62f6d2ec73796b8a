// One test per attack on a session token, named after it.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { newId } from '@wrenn/base'
import { decodeJwt, SignJWT, UnsecuredJWT } from 'jose'
import { Tokens } from './tokens.ts'

const secret = 'a secret of more than thirty-two characters'
const tokens = new Tokens(secret)
const session = { userId: newId('usr'), teamId: newId('team'), email: 'a@example.com' }
const claims = {
  team_id: session.teamId,
  email: session.email,
  sub: session.userId,
  iss: 'wrenn',
  aud: 'wrenn-api',
}
const now = Math.floor(Date.now() / 1_000)
const fresh = { ...claims, iat: now, exp: now + 60 }
const unauthorized = { name: 'AppError', code: 'unauthorized' }

function sign(
  payload: Record<string, unknown>,
  options: { alg?: string; key?: string } = {},
): Promise<string> {
  const key = new TextEncoder().encode(options.key ?? secret)
  return new SignJWT(payload).setProtectedHeader({ alg: options.alg ?? 'HS256' }).sign(key)
}

test('a token of ours gives back its session and lasts six hours', async () => {
  const token = await tokens.issue(session)
  assert.partialDeepStrictEqual(await tokens.verify(token), session)
  const { iat, exp, iss, aud, sub } = decodeJwt(token)
  assert.equal((exp ?? 0) - (iat ?? 0), 6 * 3_600)
  assert.deepEqual({ iss, aud, sub }, { iss: 'wrenn', aud: 'wrenn-api', sub: session.userId })
})

test('the test signs as we do', async () => {
  assert.partialDeepStrictEqual(await tokens.verify(await sign(fresh)), session)
})

test('alg none', async () => {
  await assert.rejects(tokens.verify(new UnsecuredJWT(fresh).encode()), unauthorized)
})

test('another algorithm with the same secret', async () => {
  const key = secret.repeat(2)
  await assert.rejects(new Tokens(key).verify(await sign(fresh, { alg: 'HS512', key })), unauthorized)
})

test('a public key as the secret', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const token = await new SignJWT(fresh).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)
  await assert.rejects(tokens.verify(token), unauthorized)
})

test('another secret', async () => {
  await assert.rejects(tokens.verify(await sign(fresh, { key: 'x'.repeat(40) })), unauthorized)
})

test('a changed claim under the old signature', async () => {
  const [header, , signature] = (await tokens.issue(session)).split('.')
  const payload = Buffer.from(JSON.stringify({ ...fresh, team_id: newId('team') })).toString('base64url')
  await assert.rejects(tokens.verify(`${header}.${payload}.${signature}`), unauthorized)
})

test('expired', async () => {
  const token = await sign({ ...claims, iat: now - 100, exp: now - 1 })
  await assert.rejects(tokens.verify(token), { ...unauthorized, message: /expired/ })
})

test('a claim is missing, malformed or for somebody else', async () => {
  const wrong = [
    ...Object.keys(fresh).map((name) => Object.assign({}, fresh, { [name]: undefined })),
    { ...fresh, iss: 'other' },
    { ...fresh, aud: 'other' },
    { ...fresh, sub: "usr-' or 1=1" },
    { ...fresh, team_id: 5 },
  ]
  for (const payload of wrong) await assert.rejects(tokens.verify(await sign(payload)), unauthorized)
})
