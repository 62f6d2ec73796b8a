// Creates a sandbox and opens it. What the server refuses is said at its field; nothing that was typed is lost. A repeated
// click makes one sandbox: as long as the same is asked for, the same key says so.
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { WrennError, type CreateSandbox } from '@wrenn/sdk'
import { useId, useRef, useState, type FormEvent } from 'react'
import { keys } from '../../data/keys.ts'
import { healthQuery, templatesQuery } from '../../data/queries.ts'
import { putSandbox } from '../../live/events.ts'
import { despiteBrokenConnection, useIdempotencyKey } from '../../sandboxes/idempotency.ts'
import { useClient } from '../../session/client.ts'
import { Button } from '../../ui/button.tsx'
import { CopyAsCurl } from '../../ui/copy-as-curl.tsx'
import { fieldError } from '../../ui/describe-error.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { InlineError } from '../../ui/error-state.tsx'
import { useNow } from '../../ui/time.tsx'
import { firstDraft, gapsOf, requestOf, type Draft } from './create-draft.ts'
import { MetadataFields } from './metadata-fields.tsx'
import { SizeFields } from './size-fields.tsx'
import { TemplateField } from './template-field.tsx'
import { TimeoutFields } from './timeout-fields.tsx'

export interface CreateDialogProps {
  /** Chosen at first; '' for none in particular. */
  template: string
  onClose: () => void
}

/** A template's first boot in a new size takes its time; as the SDK's own. */
const createTimeoutMs = 300_000
const defaultTemplate = 'minimal'

export function CreateDialog({ template: asked, onClose }: CreateDialogProps) {
  const { wrenn, queries } = useClient()
  const navigate = useNavigate()
  const templates = useQuery(templatesQuery(wrenn))
  const health = useQuery(healthQuery(wrenn))
  const [draft, setDraft] = useState<Draft>({ ...firstDraft, template: asked || defaultTemplate })
  const [gaps, setGaps] = useState<Readonly<Record<string, string>>>({})
  const form = useRef<HTMLFormElement>(null)
  const first = useRef<HTMLButtonElement>(null)
  const formId = useId()
  const keyFor = useIdempotencyKey()
  const chosen = templates.data?.find(({ name }) => name === draft.template)

  const focus = (field: string | undefined): void => {
    const place = field !== undefined && form.current?.querySelector(`[data-field=${field}]`)
    if (place) place.querySelector<HTMLElement>('input:not([aria-hidden=true]), [role=combobox]')?.focus()
  }
  const create = useMutation({
    // Not `sandboxes.create`, which waits and tries again when there is no room: here that is said at once.
    mutationFn: (request: CreateSandbox) => {
      const headers = { 'idempotency-key': keyFor(request) }
      return despiteBrokenConnection(() =>
        wrenn.call('post', '/v1/sandboxes', {
          body: request,
          headers,
          repeat: 'never',
          timeoutMs: createTimeoutMs,
        }),
      )
    },
    onSuccess: (sandbox) => {
      queries.setQueryData(keys.sandbox(sandbox.id), sandbox)
      putSandbox(queries, sandbox)
      void navigate({ to: '/sandboxes/$id', params: { id: sandbox.id } })
    },
    onError: (error) => focus(placeOf(error)?.field),
  })
  const refused = placeOf(create.error)
  const errors = { ...(refused ? { [refused.field]: refused.message } : {}), ...gaps }
  const change = (part: Partial<Draft>): void => {
    setDraft((now) => ({ ...now, ...part }))
    // What was wrong may be right now.
    setGaps({})
    if (create.isError) create.reset()
  }

  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    const missing = gapsOf(draft, chosen)
    setGaps(missing)
    const [gap] = Object.keys(missing)
    if (gap !== undefined) focus(gap)
    else if (!create.isPending) create.mutate(requestOf(draft, chosen))
  }
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Create a sandbox"
      initialFocus={first}
      footer={
        <>
          <span className="mr-auto -ml-2.5">
            <CopyAsCurl
              call={() => ({ method: 'POST', path: '/v1/sandboxes', json: requestOf(draft, chosen) })}
            />
          </span>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} variant="primary" isBusy={create.isPending}>
            Create
          </Button>
        </>
      }
    >
      <form ref={form} id={formId} noValidate onSubmit={onSubmit} className="flex flex-col gap-4">
        <TemplateField
          ref={first}
          value={draft.template}
          onChange={(template) => change({ template })}
          templates={templates}
          error={errors['template']}
        />
        <SizeFields
          draft={draft}
          onChange={change}
          template={chosen}
          agent={health.data?.agent}
          errors={errors}
        />
        <TimeoutFields draft={draft} onChange={change} errors={errors} />
        <MetadataFields
          rows={draft.metadata}
          onChange={(metadata) => change({ metadata })}
          error={errors['metadata']}
        />
        {create.error && !refused && <Refusal error={create.error} />}
        {create.isPending && <Patience since={create.submittedAt} />}
      </form>
    </Dialog>
  )
}

function Refusal({ error }: { error: Error }) {
  return (
    <div className="flex flex-col gap-1">
      <InlineError error={error} />
      {error instanceof WrennError && error.code === 'no_capacity' && (
        <p className="text-xs text-muted">
          Ask for less memory, pause or destroy other sandboxes, or try again later.
        </p>
      )}
    </div>
  )
}

/** Said when it takes a while. */
function Patience({ since }: { since: number }) {
  const isLong = useNow((nowMs) => nowMs - since > 3_000)
  return (
    <p role="status" className="text-xs text-muted">
      {isLong &&
        'The first sandbox of a template in a new size boots it, which takes longer than all others.'}
    </p>
  )
}

const fields = new Set(['template', 'vcpus', 'memory_mb', 'timeout_sec', 'on_timeout', 'metadata'])

function placeOf(error: unknown): { field: string; message: string } | undefined {
  if (error instanceof WrennError && error.code === 'not_found')
    return { field: 'template', message: error.message }
  const refused = fieldError(error)
  if (!refused || !fields.has(refused.field)) return undefined
  // Which of them it is, is a part of the message.
  return refused.field === 'metadata' && error instanceof WrennError
    ? { field: 'metadata', message: error.message }
    : refused
}
