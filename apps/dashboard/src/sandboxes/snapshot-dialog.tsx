// Saves a sandbox as a snapshot. It says what becomes of the sandbox, and when the name is taken, offers to replace what
// has it. Whoever closes it while it works learns how it went from a notice.
import { useMutation, useQuery } from '@tanstack/react-query'
import { WrennError, type Sandbox } from '@wrenn/sdk'
import { useEffect, useId, useRef, useState, type FormEvent } from 'react'
import { templatesQuery } from '../data/queries.ts'
import { useClient } from '../session/client.ts'
import { Button } from '../ui/button.tsx'
import { Checkbox } from '../ui/checkbox.tsx'
import { CopyAsCurl } from '../ui/copy-as-curl.tsx'
import { fieldError } from '../ui/describe-error.ts'
import { Dialog } from '../ui/dialog.tsx'
import { InlineError } from '../ui/error-state.tsx'
import { TextField } from '../ui/text-field.tsx'
import { notify } from '../ui/toasts.tsx'
import { useIdempotencyKey } from './idempotency.ts'
import { snapshot } from './perform.ts'

export function SnapshotDialog({ sandbox, onClose }: { sandbox: Sandbox; onClose: () => void }) {
  const client = useClient()
  const formId = useId()
  const nameInput = useRef<HTMLInputElement>(null)
  const [name, setName] = useState('')
  const [overwrite, setOverwrite] = useState(false)
  const templates = useQuery(templatesQuery(client.wrenn))
  const keyFor = useIdempotencyKey()
  const isShown = useIsShown()
  const save = useMutation({
    mutationFn: (wish: { name: string; overwrite: boolean }) =>
      snapshot(client, sandbox, { ...wish, idempotencyKey: keyFor(wish) }),
    onSuccess: (template) => {
      notify.done(`Saved the snapshot ${template.name}`, `${sandbox.id} has been destroyed.`)
      if (isShown.current) onClose()
    },
    onError: (error) => {
      if (!isShown.current) notify.failed(`Could not save ${sandbox.id} as a snapshot`, error)
    },
  })
  const refused = placeOf(save.error)
  // Not when it has been tried: then another is being made under this name. A base template's cannot be replaced.
  const offersOverwrite =
    save.error instanceof WrennError &&
    save.error.code === 'already_exists' &&
    !save.variables?.overwrite &&
    save.variables?.name === name.trim() &&
    templates.data?.find((each) => each.name === name.trim())?.type !== 'base'

  const submit = (wish: { name: string; overwrite: boolean }): void => {
    if (!save.isPending) save.mutate(wish)
  }
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    submit({ name: name.trim(), overwrite })
  }
  const trimmed = name.trim()
  const query = overwrite ? '?overwrite=true' : ''
  const json = { sandbox_id: sandbox.id, ...(trimmed === '' ? {} : { name: trimmed }) }
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Save as a snapshot"
      initialFocus={nameInput}
      description={<span className="font-mono text-xs">{sandbox.id}</span>}
      footer={
        <>
          <span className="mr-auto -ml-2.5">
            <CopyAsCurl call={{ method: 'POST', path: `/v1/snapshots${query}`, json }} />
          </span>
          <Button onClick={onClose}>Cancel</Button>
          {offersOverwrite ? (
            <Button variant="danger" onClick={() => submit({ name: trimmed, overwrite: true })}>
              Replace it
            </Button>
          ) : (
            <Button type="submit" form={formId} variant="primary" isBusy={save.isPending}>
              Save and destroy
            </Button>
          )}
        </>
      }
    >
      <form id={formId} noValidate onSubmit={onSubmit} className="flex flex-col gap-4">
        <p>
          Memory, disk and processes are saved as a template, from which any number of sandboxes can be made
          that go on where this one is now. <strong>The sandbox itself is destroyed afterwards.</strong>
        </p>
        <TextField
          ref={nameInput}
          label="Name"
          name="name"
          isMono
          autoComplete="off"
          spellCheck={false}
          value={name}
          onChange={setName}
          help="Letters, digits, dots, dashes and underscores. Left empty, one is made up."
          error={refused}
        />
        <Checkbox
          label="Replace the snapshot of that name, if there is one"
          isChecked={overwrite}
          onChange={setOverwrite}
        />
        {save.error && refused === undefined && <InlineError error={save.error} />}
      </form>
    </Dialog>
  )
}

/** What is wrong with the name. */
function placeOf(error: unknown): string | undefined {
  if (error instanceof WrennError && error.code === 'already_exists')
    return error.message.replace('; overwrite=true replaces it', '')
  const refused = fieldError(error)
  return refused?.field === 'name' ? refused.message : undefined
}

function useIsShown(): { current: boolean } {
  const isShown = useRef(false)
  useEffect(() => {
    isShown.current = true
    return () => {
      isShown.current = false
    }
  }, [])
  return isShown
}
