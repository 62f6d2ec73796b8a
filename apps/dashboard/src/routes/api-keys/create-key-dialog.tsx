// Asks for the name of a new key, and makes it.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { NewApiKey } from '@wrenn/sdk'
import { useId, useState, type FormEvent } from 'react'
import { keys } from '../../data/keys.ts'
import { useWrenn } from '../../session/client.ts'
import { Button } from '../../ui/button.tsx'
import { CopyAsCurl } from '../../ui/copy-as-curl.tsx'
import { fieldError } from '../../ui/describe-error.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { InlineError } from '../../ui/error-state.tsx'
import { TextField } from '../../ui/text-field.tsx'

export interface CreateKeyDialogProps {
  isOpen: boolean
  onClose: () => void
  /** With the key itself, which no later answer has. */
  onCreated: (created: NewApiKey) => void
}

export function CreateKeyDialog({ isOpen, onClose, onCreated }: CreateKeyDialogProps) {
  const wrenn = useWrenn()
  const queries = useQueryClient()
  const formId = useId()
  const [name, setName] = useState('')
  // Without a name the server gives it one.
  const body = name.trim() === '' ? {} : { name: name.trim() }
  const create = useMutation({
    mutationFn: () => wrenn.apiKeys.create(body),
    // The answer holds a secret: it is not kept.
    gcTime: 0,
    onSuccess: (created) => {
      void queries.invalidateQueries({ queryKey: keys.apiKeys })
      create.reset()
      setName('')
      onCreated(created)
    },
  })
  const close = (): void => {
    if (create.isPending) return
    create.reset()
    onClose()
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (!create.isPending) create.mutate()
  }
  const refused = fieldError(create.error)
  const nameError = refused?.field === 'name' ? refused.message : undefined
  return (
    <Dialog
      isOpen={isOpen}
      onClose={close}
      title="Create an API key"
      footer={
        <>
          <span className="mr-auto -ml-2.5">
            <CopyAsCurl
              call={{ method: 'POST', path: '/v1/api-keys', json: body, credential: 'token' }}
              size="md"
            />
          </span>
          <Button onClick={close}>Cancel</Button>
          <Button variant="primary" type="submit" form={formId} isBusy={create.isPending}>
            Create
          </Button>
        </>
      }
    >
      <form id={formId} noValidate onSubmit={submit} className="flex flex-col gap-4">
        <TextField
          label="Name"
          name="name"
          autoComplete="off"
          placeholder="laptop"
          help="Where it will be used, for the day you revoke it"
          value={name}
          onChange={setName}
          error={nameError}
        />
        {create.error && nameError === undefined && <InlineError error={create.error} />}
        <p className="text-xs text-muted">
          As curl this takes the token of a sign-in, as <code className="font-mono">WRENN_TOKEN</code>: keys
          cannot make keys. <code className="font-mono">POST /v1/auth/login</code> answers one.
        </p>
      </form>
    </Dialog>
  )
}
