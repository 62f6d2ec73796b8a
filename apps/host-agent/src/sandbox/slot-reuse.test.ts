// The worst that can happen to a slot: its number, address and interface are another sandbox's at once, while a host
// outside still sends on a connection of the one before. With real VMs and an internet of the test's own.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { instanceId, newId, pollUntil, run, type SandboxId } from '@wrenn/base'
import { makeInternet, type Internet } from '../../../../test/support/internet.ts'
import { blockRange, parseAddress, slotsPerBlock } from '../network/addresses.ts'
import { makeSlot, type Slot } from '../network/slot.ts'
import type { Sandboxes } from './sandboxes.ts'
import { size, TestHost, withMethods } from './test-host.ts'

const deadline = { timeoutMs: 60_000 }

let internet: Internet
let host: TestHost

before(async () => {
  internet = await makeInternet()
  host = await TestHost.open()
})

after(async () => {
  await host?.remove()
  await internet?.remove()
})

test('a slot that is used again gets nothing of a connection that its former owner had open at its pause', async () => {
  let former: Slot | undefined
  const { network } = host.parts
  const take = async (): Promise<Slot> => {
    const again = former
    former = undefined
    return again ? await makeAgain(again) : await network.take()
  }
  const sandboxes = host.sandboxes({ network: withMethods(network, { take }) })
  const [first, second] = [newId('sb'), newId('sb')]
  const { slot } = await sandboxes.create({ id: first, ...size })
  await sh(sandboxes, first, `curl -sSN http://${internet.address}/endless > /run/endless 2>&1 &`)
  await pollUntil(
    'the connection is in use',
    async () => (await sh(sandboxes, first, 'wc -l < /run/endless')) !== '0' || undefined,
    deadline,
  )
  await sandboxes.pause(first)
  await host.assertNamespaces(0)

  former = slot
  const next = await sandboxes.create({ id: second, ...size })
  assert.deepEqual(next.slot, slot)
  const resumed = await sandboxes.resume(first)
  assert.notEqual(resumed.slot.netns, slot.netns)
  await pollUntil('the host outside sends again', async () => (await seen(slot, 'arrived')) || undefined, {
    timeoutMs: 60_000,
  })
  assert.equal(await seen(slot, 'to_guest'), 0)
  // Its own connections work, and are counted.
  const answer = await sh(sandboxes, second, `curl -sS -m 10 http://${internet.address}/`)
  assert.equal(answer, 'the internet')
  assert.notEqual(await seen(slot, 'to_guest'), 0)
  for (const id of [first, second]) await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

/** As when the numbers have come round, and with counters of what comes from port 80. */
async function makeAgain({ index, uid, hostIp }: Slot): Promise<Slot> {
  const slotsBefore = Math.floor((parseAddress(hostIp) - blockRange(0).first) / 4)
  const block = Math.floor(slotsBefore / slotsPerBlock)
  const slot = await makeSlot({ instance: instanceId(host.folder), block, index, uid, resolvers: [] })
  const counters = `
table ip test {
  chain arrived { type filter hook prerouting priority -400; iifname eth0 tcp sport 80 counter; }
  chain to_guest { type filter hook postrouting priority -400; oifname ${slot.tap} tcp sport 80 counter; }
}
`
  await run('ip', ['netns', 'exec', slot.netns, 'nft', '-f', '-'], { input: counters })
  return slot
}

async function seen({ netns }: Slot, chain: 'arrived' | 'to_guest'): Promise<number> {
  const { stdout } = await run('ip', ['netns', 'exec', netns, 'nft', 'list', 'chain', 'ip', 'test', chain])
  return Number(/counter packets (\d+)/.exec(stdout)?.[1])
}

async function sh(sandboxes: Sandboxes, id: SandboxId, script: string): Promise<string> {
  const result = await sandboxes.guest.exec(id, { cmd: 'sh', args: ['-c', script], timeoutSec: 60 })
  assert.equal(result.exitCode, 0, result.stderr)
  return result.stdout.trim()
}
