// The VMM driver for QEMU. VMs are processes of their own session that outlive the agent: their output goes to files,
// their control socket lies in their folder, and hostkit starts them unprivileged in their slot.
import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { endProcess, isAlive, processRef, run, type ProcessRef } from '@wrenn/base'
import { vmFiles } from '../../storage/layout.ts'
import { groupArguments, type Accelerator } from '../accelerator.ts'
import {
  VmmRefused,
  type BootOptions,
  type ResumeOptions,
  type SavedBy,
  type Vm,
  type VmmDriver,
  type VmPlace,
} from '../driver.ts'
import {
  acceleratorArgument,
  bootArguments,
  commonArguments,
  cpuModel,
  deviceStateFd,
  machineType,
  resumeArguments,
} from './arguments.ts'
import { MemoryMapper, type MappedMemory } from './memory.ts'
import { QemuVm, qemuProcesses } from './process.ts'
import { Qmp } from './qmp.ts'

const program = 'qemu-system-x86_64'
const spawnTimeoutMs = 30_000

export class QemuDriver implements VmmDriver {
  readonly version: string
  readonly compatibility: string
  readonly savedBy: SavedBy
  readonly #hostkit: string
  readonly #accelerator: Accelerator
  readonly #memory: MemoryMapper

  private constructor(version: string, hostkit: string, accelerator: Accelerator) {
    this.version = `qemu ${version}`
    const [major = 0, minor = 0] = version.split('.').map(Number)
    const [cpu, argument] = [cpuModel(accelerator), acceleratorArgument(accelerator)]
    this.savedBy = { machine: machineType, accelerator: accelerator.kind, cpu: cpuOf(cpu), version }
    this.compatibility = [...Object.values(this.savedBy), argument].join(' ')
    this.#hostkit = hostkit
    this.#accelerator = accelerator
    this.#memory = new MemoryMapper(hostkit, major > 8 || (major === 8 && minor >= 2))
  }

  static async open(hostkit: string, accelerator: Accelerator): Promise<QemuDriver> {
    const { stdout } = await run(program, ['--version'])
    const version = /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1]
    if (!version) throw new Error(`${program} --version says ${JSON.stringify(stdout)}`)
    return new QemuDriver(version, hostkit, accelerator)
  }

  async boot({ place, machine, kernel, initramfs, memory, signal }: BootOptions): Promise<Vm> {
    const { disk, qmp, serial } = vmFiles(place.folder)
    return this.#start(place, {
      args: [
        ...commonArguments(machine, this.#accelerator, {
          disk,
          qmp,
          memory: `mem-path=${memory.path},share=${memory.keep ? 'on' : 'off'}`,
        }),
        ...bootArguments(this.#accelerator, { kernel, initramfs, serial }),
      ],
      fds: [],
      ...(signal ? { signal } : {}),
    })
  }

  resume(options: ResumeOptions): Promise<Vm> {
    return this.#memory.use(options.saved.memory, (mapped) => this.#resume(options, mapped))
  }

  async #resume({ place, machine, saved, signal }: ResumeOptions, mapped: MappedMemory): Promise<Vm> {
    const { disk, qmp } = vmFiles(place.folder)
    const deviceState = await open(saved.deviceState, 'r')
    try {
      const vm = await this.#start(place, {
        args: [
          ...commonArguments(machine, this.#accelerator, {
            disk,
            qmp,
            memory: `mem-path=${mapped.path},${mapped.options}`,
          }),
          ...resumeArguments(),
        ],
        fds: [deviceState.fd, mapped.fd],
        ...(signal ? { signal } : {}),
      })
      try {
        await vm.load(`fd:${deviceStateFd}`, signal)
        return vm
      } catch (error) {
        await vm.kill()
        throw await withLog(error, place.folder)
      }
    } finally {
      await deviceState.close()
    }
  }

  async adopt(process: ProcessRef, folder: string): Promise<Vm | undefined> {
    if (!isAlive(process)) return undefined
    try {
      const options = { timeoutMs: 5000, alive: () => isAlive(process) }
      return new QemuVm(process, await Qmp.connect(vmFiles(folder).qmp, options))
    } catch {
      return undefined
    }
  }

  loads({ machine, accelerator, cpu, version }: SavedBy): 'yes' | 'perhaps' | 'no' {
    const here = this.savedBy
    // A newer QEMU still has the machine types of older ones, until it drops them: then it says so when it starts.
    if (machine !== here.machine || accelerator !== here.accelerator || cpu !== here.cpu) return 'no'
    return version === here.version ? 'yes' : 'perhaps'
  }

  list(root: string): Promise<{ process: ProcessRef; folder: string }[]> {
    return qemuProcesses(root)
  }

  forget(key: string): void {
    this.#memory.forget(key)
  }

  async #start(
    place: VmPlace,
    { args, fds, signal }: { args: string[]; fds: (number | undefined)[]; signal?: AbortSignal },
  ): Promise<QemuVm> {
    signal?.throwIfAborted()
    const { folder, slot, cgroup } = place
    const log = await open(vmFiles(folder).log, 'a', 0o600)
    const child = await spawned(
      log,
      [
        this.#hostkit,
        ...['vmm', '-uid', String(slot.uid), '-netns', slot.netns, '-tap', slot.tap],
        ...groupArguments(this.#accelerator.deviceGroup),
        ...(cgroup === undefined ? [] : ['-cgroup', cgroup]),
        ...['--', program, ...args],
      ],
      fds,
    )
    try {
      const options = {
        timeoutMs: spawnTimeoutMs,
        alive: () => isAlive(child),
        ...(signal ? { signal } : {}),
      }
      return new QemuVm(child, await Qmp.connect(vmFiles(folder).qmp, options))
    } catch (error) {
      await endProcess(child, 0)
      throw await withLog(error, folder)
    }
  }
}

/** Under KVM a guest sees the machine's own processor, and its state loads only where that is the same. */
function cpuOf(model: string): string {
  return model === 'host' ? `host ${cpus()[0]?.model ?? 'unknown'}` : model
}

/** Starts a detached process that inherits `fds` from descriptor 3 on. */
async function spawned(
  log: FileHandle,
  [command = '', ...args]: string[],
  fds: (number | undefined)[],
): Promise<ProcessRef> {
  try {
    const child = spawn(command, args, {
      stdio: ['ignore', log.fd, log.fd, ...fds.map((fd) => fd ?? ('ignore' as const))],
      detached: true,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    })
    child.unref()
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    const ref = child.pid === undefined ? undefined : processRef(child.pid)
    if (!ref) throw new Error(`${command} ended at once`)
    return ref
  } finally {
    await log.close()
  }
}

/** The error with the last lines that the VMM wrote. */
async function withLog(error: unknown, folder: string): Promise<VmmRefused> {
  const log = await readFile(vmFiles(folder).log, 'utf8').catch(() => '')
  const tail = log.trim().split('\n').slice(-5).join(' | ')
  return new VmmRefused(tail === '' ? 'the VM did not start' : `the VM did not start: ${tail}`, {
    cause: error,
  })
}
