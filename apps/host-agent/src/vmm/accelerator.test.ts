import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { buildImages, type ImagesManifest } from '@wrenn/images'
import { chooseAccelerator, probeGuest } from './accelerator.ts'

let boot: ImagesManifest['boot']
before(async () => {
  boot = (await buildImages({ cacheDir: process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn' })).boot
})

test('the probe guest prints its line and ends by itself', async () => {
  assert.equal(await probeGuest('tcg', boot, 60_000), undefined)
})

test('a guest that does not get that far in time is a failure, and its QEMU is gone', async () => {
  assert.match((await probeGuest('tcg', boot, 100)) ?? '', /not done within 100 ms/)
})

test('a kernel that QEMU cannot start is a failure', async () => {
  const failure = await probeGuest('tcg', { ...boot, kernel: '/nowhere/vmlinuz' }, 60_000)
  assert.match(failure ?? '', /vmlinuz/)
})

test('the choice comes with a sentence that says why', async () => {
  const { kind, reason } = await chooseAccelerator(boot)
  assert.match(reason, kind === 'kvm' ? /^hardware virtualization: / : /^software emulation: /)
})
