// A VMM for tests that need no real machine: it writes the files that a real one writes, and its guests answer envd's
// requests at the slot's address, which must be one of loopback.
import { once } from 'node:events'
import { access, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { processRef, type ProcessRef } from '@wrenn/base'
import { encodeFrame } from '../../guest/frames.ts'
import { envdPort } from '../../network/addresses.ts'
import {
  VmmRefused,
  type BootOptions,
  type ResumeOptions,
  type Vm,
  type VmmDriver,
  type VmPlace,
} from '../driver.ts'

export class FakeDriver implements VmmDriver {
  readonly version = 'fake 1'
  compatibility = 'fake'
  readonly savedBy = { machine: 'fake', accelerator: 'fake', cpu: 'fake', version: '1' }
  /** Every boot so far, also those that failed. */
  boots = 0
  /** So many of the next boots fail. */
  failingBoots = 0
  readonly forgotten: string[] = []
  readonly #running = new Map<string, FakeVm>()

  get running(): number {
    return this.#running.size
  }

  async boot({ place, memory }: BootOptions): Promise<Vm> {
    this.boots += 1
    if (this.failingBoots > 0) {
      this.failingBoots -= 1
      throw new VmmRefused('the fake VM does not boot')
    }
    await writeFile(memory.path, 'memory of a fake guest')
    return this.#start(place)
  }

  async resume({ place, saved }: ResumeOptions): Promise<Vm> {
    for (const file of [saved.memory.path, saved.deviceState]) await access(file)
    return this.#start(place)
  }

  async adopt(_process: ProcessRef, folder: string): Promise<Vm | undefined> {
    return this.#running.get(folder)
  }

  loads(): 'yes' {
    return 'yes'
  }

  async list(root: string): Promise<{ process: ProcessRef; folder: string }[]> {
    return [...this.#running]
      .filter(([folder]) => folder.startsWith(`${root}/`))
      .map(([folder, { process }]) => ({ process, folder }))
  }

  forget(key: string): void {
    this.forgotten.push(key)
  }

  async #start({ slot, folder }: VmPlace): Promise<Vm> {
    const guest = createServer((request, response) => {
      request.resume()
      if (request.url === '/process.Process/Start') response.end(ranWell)
      else response.writeHead(204).end()
    })
    guest.listen(envdPort, slot.hostIp)
    await once(guest, 'listening')
    const vm = new FakeVm(guest)
    this.#running.set(folder, vm)
    void vm.exited.then(() => this.#running.delete(folder))
    return vm
  }
}

/** What envd answers to a command that ends at once, with exit code 0. */
const ranWell = ((): Buffer => {
  const last = encodeFrame({})
  last.writeUInt8(2, 0)
  const events = [{ start: { pid: 1 } }, { end: { exitCode: 0, exited: true } }]
  return Buffer.concat([...events.map((event) => encodeFrame({ event })), last])
})()

class FakeVm implements Vm {
  readonly version = '1'
  readonly process = processRef(process.pid) ?? { pid: process.pid, startTime: '0' }
  readonly exited: Promise<void>
  readonly #guest: Server

  constructor(guest: Server) {
    this.#guest = guest
    this.exited = once(guest, 'close').then(() => undefined)
  }

  async stop(): Promise<void> {}

  async saveDevices(path: string): Promise<void> {
    await writeFile(path, 'devices of a fake guest')
  }

  async run(): Promise<void> {}

  async dropConsole(): Promise<void> {}

  async kill(): Promise<void> {
    this.#guest.close()
    this.#guest.closeAllConnections()
    await this.exited
  }
}
