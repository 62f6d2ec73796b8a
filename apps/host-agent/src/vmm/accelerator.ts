// Which accelerator QEMU uses. /dev/kvm being there proves nothing: on some nested clouds guests then hang for ever. KVM
// counts only when the CPU says so and a throw-away guest has printed its line in time.
import { readFile, stat } from 'node:fs/promises'
import { errorText, isErrno, run } from '@wrenn/base'

export interface Accelerator {
  kind: 'kvm' | 'tcg'
  /** A sentence for people. */
  reason: string
  /** The group through which VMMs, which are not root, may open /dev/kvm; undefined where everybody may. */
  deviceGroup?: number
}

export interface Probe {
  hostkit: string
  boot: { kernel: string; initramfs: string }
}

/** What the guest's init prints when it is started with `wrenn.probe` (images/initramfs/init). */
const probeLine = 'wrenn: probe guest runs'
const probeTimeoutMs = 3000
/** nobody: as unprivileged as the VMs will be. */
const probeUid = 65_534

export async function chooseAccelerator(probe: Probe): Promise<Accelerator> {
  const kvm = await kvmAccess()
  if (kvm.obstacle !== undefined) return { kind: 'tcg', reason: `software emulation: ${kvm.obstacle}` }
  const candidate: Accelerator = {
    kind: 'kvm',
    reason: 'hardware virtualization: a probe guest ran under KVM',
    ...(kvm.group === undefined ? {} : { deviceGroup: kvm.group }),
  }
  const failure = await probeGuest(candidate, probe)
  if (failure === undefined) return candidate
  return {
    kind: 'tcg',
    reason: `software emulation: KVM is there, but a probe guest under it failed (${failure})`,
  }
}

async function kvmAccess(): Promise<{ obstacle?: string; group?: number }> {
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8')
  if (!/^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo))
    return { obstacle: 'the CPU offers no hardware virtualization (no vmx or svm in /proc/cpuinfo)' }
  try {
    return deviceAccess(await stat('/dev/kvm'))
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    return { obstacle: 'there is no /dev/kvm (modprobe kvm_intel or kvm_amd, then start again)' }
  }
}

/** How a process that is not root can open a device of this mode and group, if at all. */
export function deviceAccess({ mode, gid }: { mode: number; gid: number }): {
  obstacle?: string
  group?: number
} {
  if ((mode & 0o006) === 0o006) return {}
  if ((mode & 0o060) === 0o060 && gid !== 0) return { group: gid }
  return {
    obstacle: 'only root can open /dev/kvm (chgrp kvm /dev/kvm && chmod 660 /dev/kvm, then start again)',
  }
}

/** Boots kernel and initramfs until its init prints a line. Returns what went wrong, if anything. */
export async function probeGuest(
  accelerator: Pick<Accelerator, 'kind' | 'deviceGroup'>,
  { hostkit, boot }: Probe,
  timeoutMs = probeTimeoutMs,
): Promise<string | undefined> {
  const { kind, deviceGroup } = accelerator
  const args = [
    ...['vmm', '-uid', String(probeUid), ...groupArguments(deviceGroup), '--', 'qemu-system-x86_64'],
    ...['-machine', 'q35,hpet=on', '-accel', kind, '-cpu', kind === 'kvm' ? 'host' : 'max', '-m', '256'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ...['-kernel', boot.kernel, '-initrd', boot.initramfs],
    ...['-append', 'console=ttyS0 quiet panic=-1 reboot=t wrenn.probe'],
  ]
  try {
    const { stdout } = await run(hostkit, args, { timeoutMs })
    return stdout.includes(probeLine) ? undefined : 'it ended without its line'
  } catch (error) {
    return errorText(error)
  }
}

/** hostkit's arguments for the group, if one is needed. */
export function groupArguments(deviceGroup: number | undefined): string[] {
  return deviceGroup === undefined ? [] : ['-group', String(deviceGroup)]
}
