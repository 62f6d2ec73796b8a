// Commands and their results between the wire and our names.
import type { SandboxId } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Command, CommandResult } from '../hosts/guest-agent.ts'

export function commandFromWire(request: PublicSchemas['ExecRequest']): Command {
  const { timeout_sec: timeoutSec, args = [], ...rest } = request
  return { ...rest, args, timeoutSec }
}

export function resultToWire(command: {
  id: SandboxId
  cmd: string
  result: CommandResult
}): PublicSchemas['ExecResponse'] {
  const { id, cmd, result } = command
  return {
    sandbox_id: id,
    cmd,
    stdout: result.stdout,
    stderr: result.stderr,
    exit_code: result.exitCode,
    duration_ms: result.durationMs,
    encoding: result.encoding,
    ...(result.timedOut ? { timed_out: true } : {}),
    ...(result.truncated ? { truncated: true } : {}),
  }
}
