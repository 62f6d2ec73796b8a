// What is printed when the platform serves: where, on which accelerator and why, how long it took, and how to begin.
import type { AgentHealth } from './agent-client.ts'
import type { Folders } from './folders.ts'
import type { OnStop } from './settings.ts'
import { seconds, type PhaseTime } from './screen.ts'

export interface Ready {
  url: string
  health: AgentHealth
  phases: PhaseTime[]
  folders: Folders
  onStop: OnStop
}

export function readyLines({ url, health, phases, folders, onStop }: Ready): string[] {
  const total = phases.reduce((sum, phase) => sum + phase.durationMs, 0)
  const times = phases.map((phase) => `${phase.name} ${seconds(phase.durationMs)}`).join(', ')
  return [
    '',
    `Wrenn is ready: ${url}`,
    `  accelerator  ${health.accelerator.kind} on ${health.vmm}: ${health.accelerator.reason}`,
    ...health.warnings.map((warning) => `  warning      ${warning}`),
    ...(health.sandboxes > 0 ? [`  sandboxes    ${health.sandboxes} running, adopted`] : []),
    `  took         ${seconds(total)}: ${times}`,
    `  data, logs   ${folders.root}, ${folders.root}/logs`,
    '',
    'Open it in a browser, or paste these lines one after the other.',
    '',
    ...tryLines(url),
    '',
    {
      pause:
        'Ctrl-C ends the platform. What runs in its sandboxes is paused, and goes on with the next start.',
      keep: 'Ctrl-C ends the platform. Its sandboxes run on (WRENN_ON_STOP=keep).',
      destroy: 'Ctrl-C ends the platform and its sandboxes (WRENN_ON_STOP=destroy).',
    }[onStop],
  ]
}

/** For bash with curl and sed, which every Debian has; each line leaves in a variable what the next one needs. */
function tryLines(url: string): string[] {
  const post = (path: string, body: string): string =>
    `${url}${path} -H 'content-type: application/json' -d ${body}`
  return [
    `TOKEN=$(curl -sS ${post('/v1/auth/signup', `"{\\"email\\":\\"me-$RANDOM$RANDOM@example.com\\",\\"password\\":\\"correct horse\\"}"`)} | ${extract('token')})`,
    `KEY=$(curl -sS ${post('/v1/api-keys', `'{"name":"first"}'`)} -H "authorization: Bearer $TOKEN" | ${extract('key')})`,
    `SANDBOX=$(curl -sS ${post('/v1/sandboxes', `'{}'`)} -H "x-api-key: $KEY" | ${extract('id')}); ` +
      `curl -sS ${post(`/v1/sandboxes/$SANDBOX/exec`, `'{"cmd":"uname","args":["-a"]}'`)} -H "x-api-key: $KEY"; echo`,
  ]
}

function extract(field: string): string {
  return `sed -E 's/.*"${field}": ?"([^"]*)".*/\\1/'`
}
