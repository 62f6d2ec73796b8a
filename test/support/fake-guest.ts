// What the agent without VMs does in its guests, but for commands and the content of files: terminals, the file tree, how
// busy they are.
import { Readable } from 'node:stream'
import { MIB } from '@wrenn/base'
import type { Handlers, HostAgentApi } from '@wrenn/contract'
import type { FakeFiles } from './fake-files.ts'
import type { FakeMachine } from './fake-machine.ts'
import type { FakeTerminals } from './fake-terminals.ts'

type GuestOperation =
  | 'startTerminal'
  | 'attachTerminal'
  | 'feedTerminal'
  | 'resizeTerminal'
  | 'stopTerminal'
  | 'listFiles'
  | 'statFile'
  | 'makeDirectory'
  | 'moveFile'
  | 'removeFile'
  | 'watchFiles'
  | 'getMetrics'

interface Guest {
  machine: FakeMachine
  tree: FakeFiles
  terminals: FakeTerminals
}

export function guestHandlers({
  machine,
  tree,
  terminals,
}: Guest): Pick<Handlers<HostAgentApi>, GuestOperation> {
  return {
    startTerminal: async ({ params, body, signal }) => {
      machine.findRunning(params.id)
      return linesAnswer(terminals.start(params.id, body, signal))
    },
    attachTerminal: async ({ params, body: size, signal }) => {
      machine.findRunning(params.id)
      return linesAnswer(terminals.attach(params.id, Number(params.pid), { size, signal }))
    },
    feedTerminal: async ({ params, body }) => {
      machine.findRunning(params.id)
      await terminals.feed(params.id, Number(params.pid), body.stream)
      return { status: 204 }
    },
    resizeTerminal: async ({ params, body }) => {
      machine.findRunning(params.id)
      terminals.resize(params.id, Number(params.pid), body)
      return { status: 204 }
    },
    stopTerminal: async ({ params }) => {
      machine.findRunning(params.id)
      terminals.stop(params.id, Number(params.pid))
      return { status: 204 }
    },
    listFiles: async ({ params, query }) => {
      machine.findRunning(params.id)
      return { status: 200, body: tree.list(query.path) }
    },
    statFile: async ({ params, query }) => {
      machine.findRunning(params.id)
      return { status: 200, body: tree.stat(query.path) }
    },
    makeDirectory: async ({ params, body }) => {
      machine.findRunning(params.id)
      return { status: 201, body: tree.makeFolder(body.path) }
    },
    moveFile: async ({ params, body }) => {
      machine.findRunning(params.id)
      return { status: 200, body: tree.move(body.source, body.destination) }
    },
    removeFile: async ({ params, query }) => {
      machine.findRunning(params.id)
      tree.remove(query.path)
      return { status: 204 }
    },
    watchFiles: async ({ params, query, signal }) => {
      machine.findRunning(params.id)
      return linesAnswer(tree.watch(query.path, query.recursive === 'true', signal))
    },
    getMetrics: async ({ params }) => {
      machine.findRunning(params.id)
      return { status: 200, body: { at: new Date().toISOString(), ...idleMetrics } }
    },
  }
}

export function linesAnswer(lines: AsyncGenerator<string>): {
  status: 200
  contentType: 'application/x-ndjson'
  body: Readable
} {
  return { status: 200, contentType: 'application/x-ndjson', body: Readable.from(lines) }
}

const idleMetrics = {
  cpu_count: 1,
  cpu_used_percent: 0.5,
  memory_total_bytes: 512 * MIB,
  memory_used_bytes: 64 * MIB,
  disk_total_bytes: 1024 * MIB,
  disk_used_bytes: MIB,
}
