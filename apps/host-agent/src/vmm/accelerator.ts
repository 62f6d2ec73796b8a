// Which accelerator QEMU uses. /dev/kvm being there proves nothing: on some nested clouds guests then hang for ever. KVM
// counts only when the CPU says so and a throw-away guest has printed its line in time.
import { access, constants, readFile } from 'node:fs/promises'
import { errorText, run } from '@wrenn/base'

export interface Accelerator {
  kind: 'kvm' | 'tcg'
  /** A sentence for people. */
  reason: string
}

/** What the guest's init prints when it is started with `wrenn.probe` (images/initramfs/init). */
const probeLine = 'wrenn: probe guest runs'
const probeTimeoutMs = 3000

export async function chooseAccelerator(boot: { kernel: string; initramfs: string }): Promise<Accelerator> {
  const obstacle = await kvmObstacle()
  if (obstacle) return { kind: 'tcg', reason: `software emulation: ${obstacle}` }
  const failure = await probeGuest('kvm', boot)
  if (failure)
    return {
      kind: 'tcg',
      reason: `software emulation: KVM is there, but a probe guest under it failed (${failure})`,
    }
  return { kind: 'kvm', reason: 'hardware virtualization: a probe guest ran under KVM' }
}

async function kvmObstacle(): Promise<string | undefined> {
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8')
  if (!/^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo))
    return 'the CPU offers no hardware virtualization (no vmx or svm in /proc/cpuinfo)'
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return '/dev/kvm cannot be opened (is the kvm module loaded?)'
  }
}

/** Boots kernel and initramfs until its init prints a line. Returns what went wrong, if anything. */
export async function probeGuest(
  accelerator: 'kvm' | 'tcg',
  boot: { kernel: string; initramfs: string },
  timeoutMs = probeTimeoutMs,
): Promise<string | undefined> {
  try {
    const { stdout } = await run(
      'qemu-system-x86_64',
      [
        ...[
          '-machine',
          'q35,hpet=on',
          '-accel',
          accelerator,
          '-cpu',
          accelerator === 'kvm' ? 'host' : 'max',
          '-m',
          '256',
        ],
        ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
        ...['-kernel', boot.kernel, '-initrd', boot.initramfs],
        ...['-append', 'console=ttyS0 quiet panic=-1 reboot=t wrenn.probe'],
      ],
      { timeoutMs },
    )
    return stdout.includes(probeLine) ? undefined : 'it ended without its line'
  } catch (error) {
    return errorText(error)
  }
}
