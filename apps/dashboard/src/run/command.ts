// What is typed into the form, and the request that it stands for. Pure.
import type { StreamRequest } from '@wrenn/sdk'
import { parseCommandLine } from '../lib/command-line.ts'
import type { ApiCall } from '../lib/curl.ts'

export interface CommandForm {
  line: string
  /** The line goes to `sh -c` as it is. */
  isShell: boolean
  cwd: string
  user: string
  /** NAME=value, a line each. */
  envs: string
  stdin: string
  /** Null: for as long as it takes. */
  timeoutSec: number | null
}

export const emptyForm: CommandForm = {
  line: '',
  isShell: false,
  cwd: '',
  user: '',
  envs: '',
  stdin: '',
  timeoutSec: null,
}

type FormField = 'cmd' | 'envs'

export type ParsedForm =
  | { ok: true; request: StreamRequest; shellSyntax?: string }
  | { ok: false; field: FormField; message: string }

/** Of a single answer: exec takes no longer ones. */
const longestExecSec = 3_600

export function parseForm({ line, isShell, cwd, user, envs, stdin }: CommandForm): ParsedForm {
  const command = isShell ? shellCommand(line) : plainCommand(line)
  if (!command.ok) return command
  const variables = parseVariables(envs)
  if (!variables.ok) return variables
  const { shellSyntax, cmd, args } = command
  const request = {
    cmd,
    ...(args.length === 0 ? {} : { args }),
    ...(cwd.trim() === '' ? {} : { cwd: cwd.trim() }),
    ...(user.trim() === '' ? {} : { user: user.trim() }),
    ...(Object.keys(variables.values).length === 0 ? {} : { envs: variables.values }),
    ...(stdin === '' ? {} : { stdin }),
  }
  return { ok: true, request, ...(shellSyntax === undefined ? {} : { shellSyntax }) }
}

/** The same as one call whose answer comes when it has ended. */
export function execCall(id: string, request: StreamRequest, timeoutSec: number | null): ApiCall {
  const json = { ...request, timeout_sec: Math.min(timeoutSec ?? longestExecSec, longestExecSec) }
  return { method: 'POST', path: `/v1/sandboxes/${encodeURIComponent(id)}/exec`, json }
}

type ParsedCommand =
  | { ok: true; cmd: string; args: string[]; shellSyntax?: string | undefined }
  | { ok: false; field: 'cmd'; message: string }

const noCommand = { ok: false, field: 'cmd', message: 'Type a command first' } as const

function shellCommand(line: string): ParsedCommand {
  return line.trim() === '' ? noCommand : { ok: true, cmd: 'sh', args: ['-c', line] }
}

function plainCommand(line: string): ParsedCommand {
  const parsed = parseCommandLine(line)
  if (!parsed.ok) return { ok: false, field: 'cmd', message: parsed.message }
  const [cmd, ...args] = parsed.words
  if (cmd === undefined) return noCommand
  return { ok: true, cmd, args, shellSyntax: parsed.shellSyntax }
}

function parseVariables(
  text: string,
): { ok: true; values: Record<string, string> } | { ok: false; field: 'envs'; message: string } {
  const values: Record<string, string> = {}
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const at = line.indexOf('=')
    const name = line.slice(0, at).trim()
    if (at === -1 || name === '')
      return { ok: false, field: 'envs', message: `Line ${index + 1} is not NAME=value` }
    values[name] = line.slice(at + 1)
  }
  return { ok: true, values }
}
