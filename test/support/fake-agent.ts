// A host agent with behaviour but without VMs, on a unix socket, served from the same contract by the same plugin, so
// that both sides are held to it. `on` makes an operation fail, hang or lose its answer.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, createLogger, timed } from '@wrenn/base'
import {
  answerProblem,
  hostAgentContract,
  type Handlers,
  type HostAgentApi,
  type HostAgentSchemas,
  type OperationId,
} from '@wrenn/contract'
import { createContractServer } from '@wrenn/http'
import { laterOperations, type LaterOperation } from '../../apps/host-agent/src/later-operations.ts'

type AgentHandlers = Handlers<HostAgentApi, undefined, LaterOperation>
type AgentOperation = OperationId<HostAgentApi>
type AgentSandbox = HostAgentSchemas['Sandbox']

/** Runs before the operation's own work (`before`), or after it (`after`); throws what the caller gets. */
export interface Fault {
  before?: (signal: AbortSignal) => Promise<void>
  after?: (signal: AbortSignal) => Promise<void>
}

export class FakeAgent {
  readonly socketPath: string
  readonly sandboxes = new Map<string, AgentSandbox>()
  /** Content by path, of all sandboxes. */
  readonly files = new Map<string, Buffer>()
  /** Uploads whose path came last, as they were. */
  readonly forms: string[] = []
  /** Operations called so far. */
  readonly calls: AgentOperation[] = []
  /** Of all calls so far. */
  readonly requestIds = new Set<string>()
  /** Answers that the contract does not allow. */
  readonly problems: string[] = []
  readonly #folder: string
  readonly #faults = new Map<AgentOperation, Fault>()
  readonly #contract = hostAgentContract()
  #server: Awaited<ReturnType<typeof createContractServer>> | undefined

  private constructor(folder: string) {
    this.#folder = folder
    this.socketPath = join(folder, 'agent.sock')
  }

  static async create(): Promise<FakeAgent> {
    const agent = new FakeAgent(await mkdtemp(join(tmpdir(), 'wrenn-agent-')))
    await agent.start()
    return agent
  }

  async start(): Promise<void> {
    const handlers = this.#withFaults(this.#handlers())
    const logger = createLogger('fake-agent', 'silent')
    this.#server = await createContractServer({
      contract: this.#contract,
      handlers,
      laterOperations,
      logger,
    })
    await this.#server.listen({ path: this.socketPath })
  }

  /** As if its process had died: every connection breaks; what it had stays. */
  async stop(): Promise<void> {
    this.#server?.server.closeAllConnections()
    await this.#server?.close()
    this.#server = undefined
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true })
  }

  /** How often an operation was called so far. */
  count(operation: AgentOperation): number {
    return this.calls.filter((call) => call === operation).length
  }

  on(operation: AgentOperation, fault: Fault): void {
    this.#faults.set(operation, fault)
  }

  heal(): void {
    this.#faults.clear()
  }

  /** Breaks every connection in the middle of what it does. */
  breakConnections(): void {
    this.#server?.server.closeAllConnections()
  }

  #withFaults(handlers: AgentHandlers): AgentHandlers {
    const wrapped = Object.entries(handlers).map(([name, handler]) => {
      const operation = name as AgentOperation
      const work = handler as (
        call: unknown,
      ) => Promise<{ status: number; contentType?: string; body?: unknown }>
      return [
        operation,
        async (call: { signal: AbortSignal; requestId: string }) => {
          this.calls.push(operation)
          this.requestIds.add(call.requestId)
          await this.#faults.get(operation)?.before?.(call.signal)
          const answer = await timed('fake', () => work(call))
          const { contentType = answer.body === undefined ? undefined : 'application/json', ...rest } = answer
          const body = answer.contentType === undefined ? answer.body : ''
          const problem = answerProblem(this.#contract, operation, { ...rest, contentType, body })
          if (problem !== undefined) this.problems.push(problem)
          await this.#faults.get(operation)?.after?.(call.signal)
          return answer
        },
      ]
    })
    return Object.fromEntries(wrapped) as AgentHandlers
  }

  #handlers(): AgentHandlers {
    return {
      health: async () => ({ status: 200, body: { ...machine, sandboxes: this.sandboxes.size } }),
      listTemplates: async () => ({ status: 200, body: [{ name: 'minimal', hash: 'a', size_bytes: 1 }] }),
      prepareGolden: async () => ({ status: 200, body: { key: 'a', built: false, duration_ms: 0 } }),
      listSandboxes: async () => ({ status: 200, body: [...this.sandboxes.values()] }),
      getSandbox: async ({ params }) => ({ status: 200, body: this.#find(params.id) }),
      createSandbox: async ({ body }) => {
        if (body.template !== 'minimal')
          throw new AppError('not_found', `There is no template ${body.template}`)
        if (this.sandboxes.has(body.id)) throw new AppError('already_exists', `${body.id} exists`)
        const addresses = { guest_ip: '169.254.0.21', host_ip: `10.11.0.${this.sandboxes.size + 2}` }
        const started_at = new Date().toISOString()
        const sandbox: AgentSandbox = {
          id: body.id,
          template: body.template,
          vcpus: body.vcpus,
          memory_mib: body.memory_mib,
          status: 'running',
          generation: 1,
          ...addresses,
          started_at,
        }
        this.sandboxes.set(body.id, sandbox)
        return { status: 201, body: sandbox }
      },
      destroySandbox: async ({ params }) => {
        this.sandboxes.delete(params.id)
        return { status: 204 }
      },
      streamCommand: async ({ params, body }) => {
        this.#find(params.id)
        const messages = [
          { type: 'start', pid: 7 },
          { type: 'stdout', data: body.args.join(' ') },
        ]
        const lines = [...messages, { type: 'exit', exit_code: 0 }].map((line) => `${JSON.stringify(line)}\n`)
        return { status: 200, contentType: 'application/x-ndjson', body: lines.join('') }
      },
      stopCommand: async ({ params }) => {
        this.#find(params.id)
        return { status: 204 }
      },
      readFile: async ({ params, query }) => {
        this.#find(params.id)
        const body = this.files.get(query.path)
        if (!body) throw new AppError('not_found', `${query.path}: no such file or directory`)
        return { status: 200, contentType: 'application/octet-stream', body }
      },
      writeFile: async ({ params, query, body }) => {
        this.#find(params.id)
        const content = await buffer(body.stream.iterator({ destroyOnReturn: false }))
        if (query.path !== undefined) this.files.set(query.path, content)
        else this.forms.push(content.toString())
        return { status: 204 }
      },
      exec: async ({ params, body, signal }) => {
        const sandbox = this.#find(params.id)
        if (sandbox.status !== 'running') throw new AppError('invalid_state', `It is ${sandbox.status}`)
        return { status: 200, body: await this.#run(params.id, body, signal) }
      },
    }
  }

  /** Knows `echo`, `cat` and `sleep`; anything else is not found. */
  async #run(
    id: string,
    { cmd, args, stdin = '' }: HostAgentSchemas['ExecRequest'],
    signal: AbortSignal,
  ): Promise<HostAgentSchemas['ExecResult']> {
    const result = { exit_code: 0, stdout: '', stderr: '', encoding: 'utf-8' as const, duration_ms: 1 }
    if (cmd === 'echo') return { ...result, stdout: `${args.join(' ')}\n` }
    if (cmd === 'cat') return { ...result, stdout: stdin }
    if (cmd !== 'sleep') return { ...result, exit_code: 127, stderr: `${cmd}: not found\n` }
    const end = performance.now() + Number(args[0]) * 1_000
    while (performance.now() < end) {
      if (!this.sandboxes.has(id)) throw new AppError('not_found', `${id} was destroyed`)
      await sleep(5, undefined, { signal })
    }
    return result
  }

  #find(id: string): AgentSandbox {
    const sandbox = this.sandboxes.get(id)
    if (!sandbox) throw new AppError('not_found', `There is no sandbox ${id}`)
    return sandbox
  }
}

/** Settles when the caller has gone away or given up. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

const machine = {
  version: '0.1.0',
  instance_id: 'abcdef',
  accelerator: { kind: 'tcg' as const, reason: 'This is a fake' },
  vmm: 'fake 1',
  cpu_cores: 4,
  memory_mib: 8_192,
  capacity: {
    memory_promised_mib: 0,
    memory_overcommit: 4,
    memory_available_mib: 8_192,
    memory_reserve_mib: 512,
    disk_free_mib: 65_536,
    disk_reserve_mib: 1_024,
    pool_size: 0,
    pool_ready: 0,
  },
  warnings: [],
}
