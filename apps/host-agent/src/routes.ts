// The operations of contracts/host-agent.yaml. Wire names (snake_case) turn into ours here and nowhere else.
import { availableParallelism, totalmem } from 'node:os'
import { AppError, MIB, version, type SandboxId } from '@wrenn/base'
import type { Handlers, HostAgentApi, HostAgentSchemas } from '@wrenn/contract'
import { guestHandlers } from './guest-routes.ts'
import { guestAddress } from './network/addresses.ts'
import { privateMemory } from './private-memory.ts'
import type { CapacityReport } from './sandbox/capacity.ts'
import { templateOf } from './sandbox/golden.ts'
import type { Goldens } from './sandbox/goldens.ts'
import type { Parts } from './sandbox/parts.ts'
import type { Sandboxes } from './sandbox/sandboxes.ts'
import type { Snapshot, Snapshots } from './sandbox/snapshots.ts'
import { reasonOf, recordOf, specOf, type SandboxState } from './sandbox/states.ts'
import type { Accelerator } from './vmm/accelerator.ts'

export interface Agent {
  hostId: string
  accelerator: Accelerator
  warnings: string[]
  parts: Parts
  goldens: Goldens
  snapshots: Snapshots
  sandboxes: Sandboxes
}

export function handlers({ parts, goldens, snapshots, sandboxes, ...agent }: Agent): Handlers<HostAgentApi> {
  const machine = { cpu_cores: availableParallelism(), memory_mib: Math.floor(totalmem() / MIB) }

  return {
    health: async () => ({
      status: 200,
      body: {
        version,
        instance_id: agent.hostId,
        accelerator: { kind: agent.accelerator.kind, reason: agent.accelerator.reason },
        vmm: parts.driver.version,
        ...machine,
        sandboxes: sandboxes.list().length,
        capacity: capacityBody(await parts.capacity.report(sandboxes.promisedMib()), sandboxes.pool.counts),
        warnings: agent.warnings,
      },
    }),

    listTemplates: async () => ({
      status: 200,
      body: Object.entries(parts.images.templates).map(([name, { hash, sizeBytes }]) => ({
        name,
        hash,
        size_bytes: sizeBytes,
      })),
    }),

    prepareGolden: async ({ body }) => {
      const started = performance.now()
      refuseTooLarge(body, machine)
      templateOf(parts, body.template)
      const spec = { template: body.template, vcpus: body.vcpus, memoryMib: body.memory_mib }
      const golden = await goldens.prepare(spec)
      sandboxes.pool.expect(spec)
      return { status: 200, body: { ...golden, duration_ms: Math.round(performance.now() - started) } }
    },

    listSandboxes: async () => ({
      status: 200,
      body: sandboxes.list().map(({ state }) => sandboxBody(state)),
    }),

    createSandbox: async ({ body }) => {
      refuseTooLarge(body, machine)
      const { template, vcpus, snapshot, memory_mib: memoryMib } = body
      if (snapshot === undefined) templateOf(parts, template)
      else refuseOtherSize(body, snapshots.find(snapshot))
      const id = body.id as SandboxId
      const { timeout_sec: timeoutSec = 0, on_timeout: onTimeout = 'pause' } = body
      await sandboxes.create({ id, template, vcpus, memoryMib, snapshot, timeoutSec, onTimeout })
      return { status: 201, body: sandboxBody(sandboxes.get(id)) }
    },

    getSandbox: async ({ params }) => ({
      status: 200,
      body: sandboxBody(sandboxes.get(params.id as SandboxId)),
    }),

    destroySandbox: async ({ params }) => {
      await sandboxes.destroy(params.id as SandboxId)
      return { status: 204 }
    },

    pauseSandbox: async ({ params }) => {
      const id = params.id as SandboxId
      await sandboxes.pause(id)
      return { status: 200, body: sandboxBody(sandboxes.get(id)) }
    },

    resumeSandbox: async ({ params }) => {
      const id = params.id as SandboxId
      await sandboxes.resume(id)
      return { status: 200, body: sandboxBody(sandboxes.get(id)) }
    },

    touchSandbox: async ({ params }) => {
      sandboxes.guest.touch(params.id as SandboxId)
      return { status: 204 }
    },

    listSnapshots: async () => ({ status: 200, body: snapshots.list().map(snapshotBody) }),

    createSnapshot: async ({ params: { key }, body }) => {
      const snapshot = snapshots.find(key) ?? (await sandboxes.snapshot(body.sandbox_id as SandboxId, key))
      return { status: 200, body: snapshotBody(snapshot) }
    },

    deleteSnapshot: async ({ params: { key } }) => {
      await Promise.all([snapshots.delete(key), sandboxes.pool.forget(key)])
      return { status: 204 }
    },

    suspend: async ({ body }) => ({
      status: 200,
      body: await sandboxes.suspend(body.timeout_sec * 1000),
    }),

    ...guestHandlers(sandboxes.guest),
  }
}

function capacityBody(
  report: CapacityReport,
  pool: { size: number; ready: number },
): HostAgentSchemas['Capacity'] {
  return {
    memory_promised_mib: report.memoryPromisedMib,
    memory_overcommit: report.memoryOvercommit,
    memory_available_mib: report.memoryAvailableMib,
    memory_reserve_mib: report.memoryReserveMib,
    disk_free_mib: report.diskFreeMib,
    disk_reserve_mib: report.diskReserveMib,
    pool_size: pool.size,
    pool_ready: pool.ready,
  }
}

function refuseTooLarge(
  body: { vcpus: number; memory_mib: number },
  machine: { cpu_cores: number; memory_mib: number },
): void {
  if (body.vcpus > machine.cpu_cores)
    throw new AppError('invalid_request', `vcpus: this host has ${machine.cpu_cores} cores`)
  if (body.memory_mib > machine.memory_mib)
    throw new AppError('invalid_request', `memory_mib: this host has ${machine.memory_mib} MiB`)
}

function refuseOtherSize(body: { vcpus: number; memory_mib: number }, snapshot: Snapshot | undefined): void {
  if (!snapshot) throw new AppError('not_found', 'there is no such snapshot on this host')
  const { vcpus, memoryMib } = snapshot.template.machine
  if (body.vcpus !== vcpus) throw new AppError('invalid_request', `vcpus: this snapshot has ${vcpus}`)
  if (body.memory_mib !== memoryMib)
    throw new AppError('invalid_request', `memory_mib: this snapshot has ${memoryMib}`)
}

function snapshotBody({ template, sizeBytes }: Snapshot): HostAgentSchemas['Snapshot'] {
  return {
    key: template.key,
    template: template.template,
    vcpus: template.machine.vcpus,
    memory_mib: template.machine.memoryMib,
    size_bytes: sizeBytes,
  }
}

function sandboxBody(state: SandboxState): HostAgentSchemas['Sandbox'] {
  const { id, template, vcpus, memoryMib } = specOf(state)
  const reason = reasonOf(state)
  const common = {
    id,
    status: state.status,
    generation: recordOf(state)?.generation ?? 0,
    template,
    vcpus,
    memory_mib: memoryMib,
    ...(reason === undefined ? {} : { status_reason: reason }),
  }
  if (state.status !== 'running') return common
  const { record, slot, vm } = state.live
  const privateBytes = privateMemory(vm.process.pid)
  return {
    ...common,
    guest_ip: guestAddress,
    host_ip: slot.hostIp,
    started_at: record.state.startedAt,
    ...(privateBytes === undefined ? {} : { private_memory_bytes: privateBytes }),
  }
}
