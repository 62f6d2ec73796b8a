// The operations of contracts/host-agent.yaml that happen in a running guest: commands, files, how busy it is.
import { Readable } from 'node:stream'
import { AppError, type SandboxId } from '@wrenn/base'
import type { Handlers, HostAgentApi, HostAgentSchemas } from '@wrenn/contract'
import type { FileEntry } from './guest/filesystem.ts'
import type { GuestMetrics } from './guest/metrics.ts'
import type { GuestCalls } from './sandbox/guest-calls.ts'

type GuestOperation =
  | 'exec'
  | 'streamCommand'
  | 'stopCommand'
  | 'readFile'
  | 'writeFile'
  | 'listFiles'
  | 'statFile'
  | 'makeDirectory'
  | 'moveFile'
  | 'removeFile'
  | 'watchFiles'
  | 'getMetrics'
  | 'startTerminal'
  | 'attachTerminal'
  | 'feedTerminal'
  | 'resizeTerminal'
  | 'stopTerminal'

interface LinesAnswer {
  status: 200
  contentType: 'application/x-ndjson'
  body: Readable
}

export function guestHandlers(guest: GuestCalls): Pick<Handlers<HostAgentApi>, GuestOperation> {
  return {
    streamCommand: async ({ params, body, signal }) => {
      return linesAnswer(guest.streamCommand(params.id as SandboxId, { ...body, signal }))
    },

    stopCommand: async ({ params }) => {
      guest.stopCommand(params.id as SandboxId, Number(params.pid))
      return { status: 204 }
    },

    readFile: async ({ params, query, signal }) => {
      const { sizeBytes, stream } = await guest.readFile(params.id as SandboxId, query.path, signal)
      return {
        status: 200,
        contentType: 'application/octet-stream',
        body: stream,
        ...(sizeBytes === undefined ? {} : { headers: { 'content-length': String(sizeBytes) } }),
      }
    },

    writeFile: async ({ params, query: { path }, body, signal }) => {
      if ((path === undefined) === (body.contentType === 'application/octet-stream'))
        throw new AppError('invalid_request', 'path: is for an octet stream, and only for that')
      const { contentType, stream } = body
      await guest.writeFile(params.id as SandboxId, { path, contentType, stream, signal })
      return { status: 204 }
    },

    listFiles: async ({ params, query, signal }) => {
      const entries = await guest.listFiles(params.id as SandboxId, query.path, signal)
      return { status: 200, body: entries.map(entryBody) }
    },

    statFile: async ({ params, query, signal }) => ({
      status: 200,
      body: entryBody(await guest.statFile(params.id as SandboxId, query.path, signal)),
    }),

    makeDirectory: async ({ params, body, signal }) => ({
      status: 201,
      body: entryBody(await guest.makeDirectory(params.id as SandboxId, body.path, signal)),
    }),

    moveFile: async ({ params, body, signal }) => ({
      status: 200,
      body: entryBody(await guest.moveFile(params.id as SandboxId, { ...body, signal })),
    }),

    removeFile: async ({ params, query, signal }) => {
      await guest.removeFile(params.id as SandboxId, query.path, signal)
      return { status: 204 }
    },

    watchFiles: async ({ params, query, signal }) => {
      const request = { path: query.path, recursive: query.recursive === 'true', signal }
      return linesAnswer(await guest.watchFiles(params.id as SandboxId, request))
    },

    getMetrics: async ({ params, signal }) => ({
      status: 200,
      body: metricsBody(await guest.metrics(params.id as SandboxId, signal)),
    }),

    startTerminal: async ({ params, body: { cols, rows, ...command }, signal }) => {
      const follower = { size: { cols, rows }, signal }
      return linesAnswer(await guest.startTerminal(params.id as SandboxId, command, follower))
    },

    attachTerminal: async ({ params, body: size, signal }) => {
      const pid = Number(params.pid)
      return linesAnswer(await guest.attachTerminal(params.id as SandboxId, pid, { size, signal }))
    },

    feedTerminal: async ({ params, body, signal }) => {
      const typing = { input: body.stream, signal }
      await guest.feedTerminal(params.id as SandboxId, Number(params.pid), typing)
      return { status: 204 }
    },

    resizeTerminal: async ({ params, body }) => {
      await guest.resizeTerminal(params.id as SandboxId, Number(params.pid), body)
      return { status: 204 }
    },

    stopTerminal: async ({ params }) => {
      guest.stopTerminal(params.id as SandboxId, Number(params.pid))
      return { status: 204 }
    },

    exec: async ({ params, body, signal }) => {
      const { timeout_sec: timeoutSec, ...command } = body
      const result = await guest.exec(params.id as SandboxId, { ...command, timeoutSec, signal })
      return {
        status: 200,
        body: {
          exit_code: result.exitCode,
          stdout: result.stdout,
          stderr: result.stderr,
          encoding: result.encoding,
          duration_ms: result.durationMs,
          ...(result.timedOut ? { timed_out: true } : {}),
          ...(result.truncated ? { truncated: true } : {}),
        },
      }
    },
  }
}

/** Read as fast as the caller reads. */
function linesAnswer(lines: AsyncGenerator<Buffer>): LinesAnswer {
  const body = Readable.from(lines, { objectMode: false })
  return { status: 200, contentType: 'application/x-ndjson', body }
}

function entryBody({
  sizeBytes,
  modifiedAt,
  linkTarget,
  ...entry
}: FileEntry): HostAgentSchemas['FileEntry'] {
  return {
    ...entry,
    size: sizeBytes,
    modified_at: modifiedAt,
    ...(linkTarget === undefined ? {} : { symlink_target: linkTarget }),
  }
}

function metricsBody(metrics: GuestMetrics): HostAgentSchemas['Metrics'] {
  return {
    at: metrics.at.toISOString(),
    cpu_count: metrics.cpuCount,
    cpu_used_percent: metrics.cpuUsedPercent,
    memory_total_bytes: metrics.memoryTotalBytes,
    memory_used_bytes: metrics.memoryUsedBytes,
    disk_total_bytes: metrics.diskTotalBytes,
    disk_used_bytes: metrics.diskUsedBytes,
  }
}
