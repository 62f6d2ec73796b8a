// What the sections do with a platform: sandboxes and commands through the public API, with a bare client, and the ways
// to a guest that the platform's own users do not have.
import { agentRecord } from '../../test/support/agent-record.ts'
import type { TestPlatform } from '../../test/support/real-platform.ts'
import type { User } from '../../test/support/user.ts'
import { send } from './http.ts'

export interface Bench {
  platform: TestPlatform
  user: User
  /** How often each measurement is taken, at least. */
  runs: number
}

/** A sandbox that can also be reached directly. */
export interface Guest {
  id: string
  hostIp: string
  token: string
}

export async function create(user: User, body: object = {}): Promise<{ id: string; host_ip: string }> {
  const answer = await call(user, { method: 'POST', path: '/v1/sandboxes', body, expect: 201 })
  return JSON.parse(answer.toString()) as { id: string; host_ip: string }
}

export async function exec(user: User, id: string, line = 'echo hi'): Promise<void> {
  const body = { cmd: 'sh', args: ['-c', line] }
  const path = `/v1/sandboxes/${id}/exec`
  const answer = await call(user, { method: 'POST', path, body, expect: 200 })
  const { exit_code, stderr } = JSON.parse(answer.toString()) as { exit_code: number; stderr: string }
  if (exit_code !== 0) throw new Error(`${line}: exit code ${exit_code}: ${stderr}`)
}

export async function pause(user: User, id: string): Promise<void> {
  await call(user, { method: 'POST', path: `/v1/sandboxes/${id}/pause`, expect: 200 })
}

export async function resume(user: User, id: string): Promise<void> {
  await call(user, { method: 'POST', path: `/v1/sandboxes/${id}/resume`, expect: 200 })
}

/** The sandbox becomes a template. */
export async function snapshot(user: User, id: string, name: string): Promise<void> {
  const body = { sandbox_id: id, name }
  await call(user, { method: 'POST', path: '/v1/snapshots', body, expect: 201 })
}

export async function destroy(user: User, id: string): Promise<void> {
  await call(user, { method: 'DELETE', path: `/v1/sandboxes/${id}`, expect: 204 })
}

export async function inOneSandbox<T>(bench: Bench, work: (guest: Guest) => Promise<T>): Promise<T> {
  const { id, host_ip: hostIp } = await create(bench.user)
  const { token } = (await agentRecord(bench.platform.folder, id)).record
  const result = await work({ id, hostIp, token })
  await destroy(bench.user, id)
  return result
}

/** How many VMs the platform keeps ready, and how many of them are. */
export async function poolOf(user: User): Promise<{ size: number; ready: number }> {
  const answer = await call(user, { method: 'GET', path: '/health', expect: 200 })
  const { capacity } = (JSON.parse(answer.toString()) as { agent: { capacity: Record<string, number> } })
    .agent
  return { size: capacity['pool_size'] ?? 0, ready: capacity['pool_ready'] ?? 0 }
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function call(
  user: User,
  { method, path, body, expect }: { method: string; path: string; body?: object; expect: number },
): Promise<Buffer> {
  return send(`${user.url}${path}`, {
    method,
    headers: { 'x-api-key': user.key, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: Buffer.from(JSON.stringify(body)) } : {}),
    expect,
  })
}
