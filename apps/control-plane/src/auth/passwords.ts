// Passwords: argon2id (RFC 9106) with the parameters that OWASP's Password Storage Cheat Sheet gives (19 MiB, two
// passes, one lane), kept in the PHC string format, so that other parameters can follow without a migration.
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const parameters = { memory: 19_456, passes: 2, parallelism: 1 }
const tagLength = 32
const saltLength = 16
const argon2Async = promisify(argon2)

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltLength)
  const tag = await argon2Async('argon2id', { message: password, nonce: salt, tagLength, ...parameters })
  const { memory, passes, parallelism } = parameters
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`
}

/** Takes as long for a wrong password as for the right one. Throws when `hash` is not a PHC string of argon2id. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const { memory, passes, parallelism, salt, tag } = parseHash(hash)
  const computed = await argon2Async('argon2id', {
    message: password,
    nonce: salt,
    tagLength: tag.length,
    memory,
    passes,
    parallelism,
  })
  return timingSafeEqual(computed, tag)
}

/** Matches no password. Verified against where there is no account, so that a login takes the same time. */
export const dummyHash = [
  '',
  'argon2id',
  'v=19',
  `m=${parameters.memory},t=${parameters.passes},p=${parameters.parallelism}`,
  base64(Buffer.alloc(saltLength)),
  base64(Buffer.alloc(tagLength)),
].join('$')

function parseHash(hash: string): typeof parameters & { salt: Buffer; tag: Buffer } {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(hash)
  const [, memory, passes, parallelism, salt, tag] = match ?? []
  if (salt === undefined || tag === undefined)
    throw new Error('a stored password hash is not argon2id in PHC format')
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}

/** Without padding, as the PHC string format wants it. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
