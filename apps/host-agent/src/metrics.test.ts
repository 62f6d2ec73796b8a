import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentMetrics } from './metrics.ts'
import type { Sandboxes } from './sandbox/sandboxes.ts'

test('metrics tell sandboxes by status, slots, and the memory that VMs have of their own', async () => {
  const vm = { process: { pid: process.pid } }
  const states = [{ status: 'running', live: { vm } }, { status: 'creating' }, { status: 'creating' }]
  const list = (() => states.map((state) => ({ state }))) as unknown as Sandboxes['list']
  const text = await agentMetrics({ slots: { ready: 3, inUse: 1 } }, { list }).metrics()
  assert.match(text, /^wrenn_agent_sandboxes\{status="running"\} 1$/m)
  assert.match(text, /^wrenn_agent_sandboxes\{status="creating"\} 2$/m)
  assert.match(text, /^wrenn_agent_slots\{state="ready"\} 3$/m)
  assert.match(text, /^wrenn_agent_slots\{state="in_use"\} 1$/m)
  assert.ok(Number(/^wrenn_agent_vm_private_bytes (\d+)$/m.exec(text)?.[1]) > 0)
})
