// What makes one guest different from all others resumed from the same snapshot.
import { randomBytes } from 'node:crypto'
import type { Identity } from '../guest/envd.ts'

const entropyBytes = 64

export function freshIdentity(hostname: string, accessToken = randomBytes(32).toString('hex')): Identity {
  return {
    accessToken,
    hostname,
    machineId: randomBytes(16).toString('hex'),
    entropy: randomBytes(entropyBytes),
  }
}
