// What this machine has and uses, for Prometheus.
import { Gauge, Registry } from '@wrenn/http'
import type { Network } from './network/network.ts'
import { privateMemory } from './private-memory.ts'
import type { Sandboxes } from './sandbox/sandboxes.ts'

export function agentMetrics(network: Pick<Network, 'slots'>, sandboxes: Pick<Sandboxes, 'list'>): Registry {
  const registry = new Registry()
  registry.registerMetric(
    new Gauge({
      name: 'wrenn_agent_sandboxes',
      help: 'Sandboxes of this host by status.',
      labelNames: ['status'],
      registers: [],
      collect() {
        this.reset()
        for (const { state } of sandboxes.list()) this.inc({ status: state.status })
      },
    }),
  )
  registry.registerMetric(
    new Gauge({
      name: 'wrenn_agent_slots',
      help: 'Network slots: ready for the next creates, and in use.',
      labelNames: ['state'],
      registers: [],
      collect() {
        this.set({ state: 'ready' }, network.slots.ready)
        this.set({ state: 'in_use' }, network.slots.inUse)
      },
    }),
  )
  registry.registerMetric(
    new Gauge({
      name: 'wrenn_agent_vm_private_bytes',
      help: 'Memory that the VMs of this host have written themselves, together.',
      registers: [],
      collect() {
        const vms = sandboxes
          .list()
          .flatMap(({ state }) => (state.status === 'running' ? [state.live.vm] : []))
        this.set(vms.reduce((sum, vm) => sum + (privateMemory(vm.process.pid) ?? 0), 0))
      },
    }),
  )
  return registry
}
