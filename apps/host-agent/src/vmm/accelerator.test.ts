import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { buildImages } from '@wrenn/images'
import { chooseAccelerator, deviceAccess, probeGuest, type Probe } from './accelerator.ts'

const emulated = { kind: 'tcg' } as const
let probe: Probe
before(async () => {
  probe = await buildImages({ cacheDir: process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn' })
})

test('the probe guest prints its line and ends by itself', async () => {
  assert.equal(await probeGuest(emulated, probe, 60_000), undefined)
})

test('a guest that does not get that far in time is a failure, and its QEMU is gone', async () => {
  assert.match((await probeGuest(emulated, probe, 100)) ?? '', /not done within 100 ms/)
})

test('a kernel that QEMU cannot start is a failure', async () => {
  const failure = await probeGuest(
    emulated,
    { ...probe, boot: { ...probe.boot, kernel: '/nowhere/vmlinuz' } },
    60_000,
  )
  assert.match(failure ?? '', /vmlinuz/)
})

test('the choice comes with a sentence that says why', async () => {
  const { kind, reason } = await chooseAccelerator(probe)
  assert.match(reason, kind === 'kvm' ? /^hardware virtualization: / : /^software emulation: /)
})

test('VMMs reach /dev/kvm as everybody or through its group, never through the group of root', () => {
  assert.deepEqual(deviceAccess({ mode: 0o020666, gid: 0 }), {})
  assert.deepEqual(deviceAccess({ mode: 0o020660, gid: 104 }), { group: 104 })
  for (const device of [
    { mode: 0o020660, gid: 0 },
    { mode: 0o020600, gid: 104 },
    { mode: 0o020640, gid: 104 },
  ])
    assert.match(deviceAccess(device).obstacle ?? '', /only root/)
})
