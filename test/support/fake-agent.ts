// A host agent with behaviour but without VMs, on a unix socket, served from the same contract by the same plugin, so
// that both sides are held to it. `on` makes an operation fail, hang or lose its answer.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
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
import { FakeFiles } from './fake-files.ts'
import { guestHandlers, linesAnswer } from './fake-guest.ts'
import { FakeMachine } from './fake-machine.ts'
import { FakeTerminals } from './fake-terminals.ts'

type AgentHandlers = Handlers<HostAgentApi>
type AgentOperation = OperationId<HostAgentApi>

/**
 * Runs before the operation's own work, after it, or, where a sandbox changes its state, in the middle of it; throws
 * what the caller gets.
 */
export interface Fault {
  before?: (signal: AbortSignal) => Promise<void>
  during?: (signal: AbortSignal) => Promise<void>
  after?: (signal: AbortSignal) => Promise<void>
}

export class FakeAgent {
  readonly socketPath: string
  /** What it has; outlives a stop. */
  readonly machine = new FakeMachine()
  readonly sandboxes = this.machine.sandboxes
  readonly snapshots = this.machine.snapshots
  /** One for all sandboxes. */
  readonly tree = new FakeFiles()
  readonly terminals = new FakeTerminals()
  /** Content by path, of all sandboxes. */
  readonly files = this.tree.contents
  /** Messages that streamed commands have written, and how many of those have ended. */
  written = 0
  streamsEnded = 0
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
    this.machine.resumeSuspended()
    const handlers = this.#withFaults(this.#handlers())
    const logger = createLogger('fake-agent', 'silent')
    this.#server = await createContractServer({
      contract: this.#contract,
      handlers,
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
    this.machine.clearTimers()
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
    const { machine } = this
    const halfway = (operation: AgentOperation, signal: AbortSignal) => async (): Promise<void> => {
      await nextTurn()
      await this.#faults.get(operation)?.during?.(signal)
    }
    return {
      ...guestHandlers(this),
      health: async () => ({ status: 200, body: { ...facts, sandboxes: this.sandboxes.size } }),
      listTemplates: async () => ({ status: 200, body: [{ name: 'minimal', hash: 'a', size_bytes: 1 }] }),
      prepareGolden: async () => ({ status: 200, body: { key: 'a', built: false, duration_ms: 0 } }),
      listSandboxes: async () => ({ status: 200, body: [...this.sandboxes.values()] }),
      getSandbox: async ({ params }) => ({ status: 200, body: machine.find(params.id) }),
      createSandbox: async ({ body }) => ({ status: 201, body: machine.create(body) }),
      destroySandbox: async ({ params }) => {
        machine.destroy(params.id)
        return { status: 204 }
      },
      pauseSandbox: async ({ params, signal }) => ({
        status: 200,
        body: await machine.pause(params.id, halfway('pauseSandbox', signal)),
      }),
      resumeSandbox: async ({ params, signal }) => ({
        status: 200,
        body: await machine.resume(params.id, halfway('resumeSandbox', signal)),
      }),
      touchSandbox: async ({ params }) => {
        machine.touch(params.id)
        return { status: 204 }
      },
      listSnapshots: async () => ({ status: 200, body: [...this.snapshots.values()] }),
      createSnapshot: async ({ params, body, signal }) => ({
        status: 200,
        body: await machine.snapshot(params.key, body.sandbox_id, halfway('createSnapshot', signal)),
      }),
      deleteSnapshot: async ({ params }) => {
        this.snapshots.delete(params.key)
        return { status: 204 }
      },
      suspend: async () => ({ status: 200, body: await machine.suspend() }),
      streamCommand: async ({ params, body, signal }) => {
        machine.findRunning(params.id)
        if (body.cmd === 'yes') return linesAnswer(this.#endless(body.args, signal))
        const messages = [
          { type: 'start', pid: 7 },
          { type: 'stdout', data: body.args.join(' ') },
        ]
        const lines = [...messages, { type: 'exit', exit_code: 0 }].map((line) => `${JSON.stringify(line)}\n`)
        return { status: 200, contentType: 'application/x-ndjson', body: lines.join('') }
      },
      stopCommand: async ({ params }) => {
        machine.findRunning(params.id)
        return { status: 204 }
      },
      readFile: async ({ params, query }) => {
        machine.findRunning(params.id)
        const body = this.files.get(query.path)
        if (!body) throw new AppError('not_found', `${query.path}: no such file or directory`)
        return { status: 200, contentType: 'application/octet-stream', body }
      },
      writeFile: async ({ params, query, body }) => {
        machine.findRunning(params.id)
        const content = await buffer(body.stream.iterator({ destroyOnReturn: false }))
        if (query.path !== undefined) this.files.set(query.path, content)
        else this.forms.push(content.toString())
        return { status: 204 }
      },
      exec: async ({ params, body, signal }) => {
        machine.findRunning(params.id)
        const end = machine.begin(params.id)
        try {
          return { status: 200, body: await this.#run(params.id, body, signal) }
        } finally {
          end()
        }
      },
    }
  }

  /** Writes its arguments over and over, until nobody wants more; without arguments it writes nothing. */
  async *#endless(args: readonly string[], signal: AbortSignal): AsyncGenerator<string> {
    yield `${JSON.stringify({ type: 'start', pid: 7 })}\n`
    try {
      if (args.length === 0) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      while (!signal.aborted) {
        yield `${JSON.stringify({ type: 'stdout', data: args.join(' ') })}\n`
        this.written += 1
      }
    } finally {
      this.streamsEnded += 1
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
      if (this.machine.find(id).status === 'paused') throw new AppError('invalid_state', 'It is paused')
      await sleep(5, undefined, { signal })
    }
    return result
  }
}

/** Settles when the caller has gone away or given up. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

const facts = {
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
