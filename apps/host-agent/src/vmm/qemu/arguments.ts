// QEMU's command line. A saved state loads only where machine type, devices, CPU model and accelerator are the same, so
// boot and resume share all of it but the ends.
import { guestMac } from '../../network/addresses.ts'
import type { MachineSpec } from '../driver.ts'
import type { Accelerator } from '../accelerator.ts'

/** Descriptors that the VMM inherits: the saved device state, the sealed memory, and the tap (opened by hostkit). */
export const deviceStateFd = 3
export const memoryFd = 4
const tapFd = 5

/**
 * q35 under TCG: `microvm` has neither HPET nor PM timer, and its guests hang in the APIC timer's calibration.
 * The type is versioned, so that a newer QEMU offers the same machine to states saved by this one.
 */
export const machineType = 'pc-q35-7.2'
const machine = `${machineType},hpet=on,smbus=off,sata=off,usb=off,vmport=off,i8042=off,memory-backend=ram`

const sandbox = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'

export function cpuModel(accelerator: Accelerator): string {
  return accelerator.kind === 'kvm' ? 'host' : 'max'
}

/** A small translation cache restores fastest and keeps a VM's private memory low. */
export function acceleratorArgument(accelerator: Accelerator): string {
  return accelerator.kind === 'kvm' ? 'kvm' : 'tcg,tb-size=32'
}

export interface QemuFiles {
  disk: string
  qmp: string
  /** Options of the memory's backend: `mem-path=…,share=…`. */
  memory: string
}

export function commonArguments(spec: MachineSpec, accelerator: Accelerator, files: QemuFiles): string[] {
  return [
    ...['-machine', machine, '-accel', acceleratorArgument(accelerator), '-cpu', cpuModel(accelerator)],
    ...['-smp', String(spec.vcpus), '-m', String(spec.memoryMib)],
    ...['-object', `memory-backend-file,id=ram,size=${spec.memoryMib}M,${files.memory}`],
    ...['-nodefaults', '-no-user-config', '-vga', 'none', '-nographic', '-no-reboot'],
    ...['-drive', `id=rootfs,file=${escape(spec.rootfs)},format=raw,if=none,readonly=on`],
    ...['-device', 'virtio-blk-pci,drive=rootfs'],
    ...['-drive', `id=disk,file=${escape(files.disk)},format=raw,if=none,discard=unmap`],
    ...['-device', 'virtio-blk-pci,drive=disk'],
    ...['-device', 'virtio-rng-pci'],
    ...['-netdev', `tap,id=net,fd=${tapFd}`, '-device', `virtio-net-pci,netdev=net,mac=${guestMac},romfile=`],
    ...['-qmp', `unix:${escape(files.qmp)},server=on,wait=off`],
    ...['-sandbox', sandbox],
  ]
}

/**
 * Emulated, a guest's address randomization makes every process new code to translate: a warm `sh -c` then takes 45 ms
 * instead of 17, and the translation cache overflows every ninth. It protects nothing that the VM does not (ADR 0004).
 */
const emulatedOnly = ' norandmaps'

export function bootArguments(
  accelerator: Accelerator,
  options: { kernel: string; initramfs: string; serial: string },
): string[] {
  const commandLine =
    'console=ttyS0 quiet loglevel=1 mitigations=off tsc=reliable no_timer_check panic=-1 reboot=t ipv6.disable=1'
  return [
    ...[
      '-kernel',
      options.kernel,
      '-initrd',
      options.initramfs,
      '-append',
      accelerator.kind === 'tcg' ? commandLine + emulatedOnly : commandLine,
    ],
    ...['-serial', `file:${options.serial}`],
  ]
}

/** `-S`: or the guest runs the moment its state is loaded, before we say so. */
export function resumeArguments(): string[] {
  return ['-S', '-incoming', 'defer', '-global', 'migration.send-configuration=off', '-serial', 'null']
}

/** In QEMU's option lists a comma is written twice. */
function escape(path: string): string {
  return path.replaceAll(',', ',,')
}
