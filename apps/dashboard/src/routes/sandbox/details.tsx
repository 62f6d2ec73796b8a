// Everything that is known about a sandbox, and how to reach it from a program.
import type { Sandbox } from '@wrenn/sdk'
import type { ReactNode } from 'react'
import { quote } from '../../lib/curl.ts'
import { formatBytes, formatDateTime, formatDuration } from '../../lib/format.ts'
import { StatusBadge } from '../../ui/badge.tsx'
import { CodeBlock } from '../../ui/code-block.tsx'
import { CopyAsCurl } from '../../ui/copy-as-curl.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { RelativeTime } from '../../ui/time.tsx'
import { useSandbox } from './use-sandbox.ts'

export function DetailsTab() {
  const sandbox = useSandbox()
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Panel title="Sandbox">
        <Fact name="Id" copy={sandbox.id}>
          <code className="font-mono">{sandbox.id}</code>
        </Fact>
        <Fact name="Status">
          <StatusBadge status={sandbox.status} />
        </Fact>
        {sandbox.status_reason !== undefined && <Fact name="Reason">{sandbox.status_reason}</Fact>}
        <Fact name="Template">{sandbox.template}</Fact>
        <Fact name="vCPUs">{sandbox.vcpus}</Fact>
        <Fact name="Memory">{formatBytes(sandbox.memory_mb * 1_048_576)}</Fact>
        <Fact name="Timeout">{timeoutSentence(sandbox)}</Fact>
      </Panel>
      <Panel title="Times">
        <Moment name="Created" at={sandbox.created_at} />
        <Moment name="Started" at={sandbox.started_at} />
        <Moment name="Last active" at={sandbox.last_active_at} />
        <Moment name="Last changed" at={sandbox.last_updated} />
      </Panel>
      <Panel title="Addresses">
        <Address name="In the guest" address={sandbox.guest_ip} />
        <Address name="From its host" address={sandbox.host_ip} />
      </Panel>
      <Panel title="Metadata">
        <Metadata metadata={sandbox.metadata} />
      </Panel>
      <Reach id={sandbox.id} />
    </div>
  )
}

function timeoutSentence({ timeout_sec: timeoutSec, on_timeout: onTimeout }: Sandbox): string {
  if (timeoutSec === 0) return 'None: it runs until it is paused or destroyed'
  const outcome = onTimeout === 'pause' ? 'paused' : 'destroyed'
  return `${outcome} after ${formatDuration(timeoutSec)} without activity`
}

function Panel({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="min-w-0 rounded-lg border border-line bg-surface">
      <h2 className="border-b border-line px-4 py-2.5 font-medium">{title}</h2>
      <dl className="px-4 py-1.5">{children}</dl>
    </section>
  )
}

/** `copy`: what its button copies. */
function Fact({ name, copy, children }: { name: string; copy?: string | undefined; children: ReactNode }) {
  return (
    <div className="flex min-h-8 items-baseline gap-3 py-1 max-sm:flex-col max-sm:gap-0">
      <dt className="w-32 shrink-0 text-muted [overflow-wrap:anywhere]">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1 whitespace-pre-wrap [overflow-wrap:anywhere]">
        <span className="min-w-0">{children}</span>
        {copy !== undefined && (
          <CopyButton text={copy} label={`Copy the ${name.charAt(0).toLowerCase()}${name.slice(1)}`} />
        )}
      </dd>
    </div>
  )
}

function Moment({ name, at }: { name: string; at: string | null }) {
  return (
    <Fact name={name}>
      {at === null ? (
        <span className="text-muted">not yet</span>
      ) : (
        <>
          <RelativeTime at={at} /> <span className="text-muted">({formatDateTime(at)})</span>
        </>
      )}
    </Fact>
  )
}

function Address({ name, address }: { name: string; address: string | undefined }) {
  return (
    <Fact name={name} copy={address}>
      {address === undefined ? (
        <span className="text-muted">none while it does not run</span>
      ) : (
        <code className="font-mono">{address}</code>
      )}
    </Fact>
  )
}

function Metadata({ metadata }: { metadata: Readonly<Record<string, string>> }) {
  const pairs = Object.entries(metadata)
  if (pairs.length === 0)
    return (
      <div className="py-1.5">
        <dt className="sr-only">Metadata</dt>
        <dd className="text-muted">None was given when it was created.</dd>
      </div>
    )
  return pairs.map(([key, value]) => (
    <Fact key={key} name={key}>
      {value === '' ? <span className="text-muted">empty</span> : value}
    </Fact>
  ))
}

function Reach({ id }: { id: string }) {
  const call = { method: 'GET', path: `/v1/sandboxes/${id}` } as const
  const code = `import { Wrenn } from '@wrenn/sdk'

const wrenn = new Wrenn({ baseUrl: ${quoted(location.origin)}, apiKey: process.env.WRENN_API_KEY })
const result = await wrenn.sandboxes.exec(${quoted(id)}, { cmd: 'uname', args: ['-a'] })
console.log(result.stdout)`
  return (
    <section className="flex min-w-0 flex-col gap-3 rounded-lg border border-line bg-surface px-4 py-3 lg:col-span-2">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="font-medium">From a program</h2>
        <CopyAsCurl call={call} variant="secondary" />
      </div>
      <p className="text-muted">
        With an API key of your team in <code className="font-mono text-ink">WRENN_API_KEY</code>, over HTTP
        at{' '}
        <code className="font-mono text-ink [overflow-wrap:anywhere]">
          {quote(location.origin + call.path)}
        </code>
        , or in TypeScript:
      </p>
      <CodeBlock label="The TypeScript" code={code} />
    </section>
  )
}

const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`
