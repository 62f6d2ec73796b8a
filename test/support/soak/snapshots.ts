// Snapshots of snapshots, and what is made from one compared: each must go on from where the former stood, and be itself.
import assert from 'node:assert/strict'
import type { TestPlatform } from '../real-platform.ts'
import type { User } from '../user.ts'
import { SoakedSandbox, type Identity } from './soaked-sandbox.ts'

/** Filled before the first snapshot and never written again: in all clones the same pages of the same file. */
const bigMib = 16

export interface ChainOptions {
  depth: number
  clones: number
  onStep?: (line: string) => void
}

/**
 * template → sandbox → snapshot → sandbox → …, then `clones` at once from the last snapshot. A snapshot is deleted as soon
 * as the sandbox made from it runs: all that comes later must not depend on it.
 */
export async function snapshotChain(
  platform: TestPlatform,
  user: User,
  { depth, clones, onStep }: ChainOptions,
): Promise<void> {
  let sandbox = await SoakedSandbox.start(platform, user, { vcpus: 1, bigMib })
  await sandbox.fill(1)
  const identities = [await sandbox.verify()]
  for (let step = 1; step < depth; step += 1) {
    sandbox = await next(user, sandbox, `chain-${step}`)
    identities.push(await sandbox.verify())
    assertAllDiffer(identities)
    onStep?.(`snapshot ${step} of ${depth}: the sandbox made from it goes on`)
  }
  const name = `chain-${depth}`
  await sandbox.snapshot(name)
  onStep?.(`snapshot ${depth} of ${depth}`)
  const made = await Promise.all(Array.from({ length: clones }, () => sandbox.clone(name)))
  await deleteSnapshot(user, name)
  identities.push(...(await Promise.all(made.map((clone) => clone.verify()))))
  assertAllDiffer(identities)
  onStep?.(`${clones} clones: each is itself, and all go on from where the former stood`)
  await Promise.all(made.map((clone) => cycle(clone)))
  onStep?.(`${clones} clones, paused and resumed at once, without their snapshot`)
  await Promise.all(made.map((clone) => clone.destroy()))
}

async function next(user: User, sandbox: SoakedSandbox, name: string): Promise<SoakedSandbox> {
  await sandbox.snapshot(name)
  const made = await sandbox.clone(name)
  await deleteSnapshot(user, name)
  return made
}

async function cycle(clone: SoakedSandbox): Promise<void> {
  await clone.pause()
  await clone.resume()
  await clone.verify()
}

function assertAllDiffer(identities: readonly Identity[]): void {
  for (const fact of ['hostname', 'machineId', 'token', 'random', 'uuid'] as const) {
    const values = identities.map((identity) => identity[fact])
    assert.equal(
      new Set(values).size,
      values.length,
      `two of them have the same ${fact}: ${values.join(' ')}`,
    )
  }
}

async function deleteSnapshot(user: User, name: string): Promise<void> {
  const answer = await user.call('deleteSnapshot', 'DELETE', `/v1/snapshots/${name}`)
  assert.equal(answer.status, 204, JSON.stringify(answer.body))
}
