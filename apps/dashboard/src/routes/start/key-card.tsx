// Where the key of the snippets comes from: made here with one click, or pasted.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { KeyRound } from 'lucide-react'
import { useState } from 'react'
import { keys } from '../../data/keys.ts'
import { useWrenn } from '../../session/client.ts'
import { Button } from '../../ui/button.tsx'
import { CopyTextButton } from '../../ui/copy-button.tsx'
import { InlineError } from '../../ui/error-state.tsx'
import { TextField } from '../../ui/text-field.tsx'

const keyPattern = /^wrn_[0-9a-f]{40}$/
/** As the list of keys shows it. */
const prefixLength = 12

export interface KeyCardProps {
  apiKey: string | undefined
  onChange: (apiKey: string | undefined) => void
}

export function KeyCard({ apiKey, onChange }: KeyCardProps) {
  return (
    <section aria-label="Your key" className="rounded-lg border border-line bg-surface p-4">
      {apiKey === undefined ? (
        <ChooseKey onChange={onChange} />
      ) : (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <KeyRound aria-hidden className="size-4 text-muted" />
          <p className="min-w-0 flex-1 basis-64">
            <code className="font-mono text-xs">{apiKey.slice(0, prefixLength)}…</code> is filled in below.
            This page forgets it when you sign out or reload: copy it if you want to keep it, or revoke it
            under{' '}
            <Link to="/api-keys" className="text-accent underline underline-offset-2">
              API keys
            </Link>
            .
          </p>
          <CopyTextButton text={apiKey}>Copy key</CopyTextButton>
          <Button onClick={() => onChange(undefined)}>Use another</Button>
        </div>
      )}
    </section>
  )
}

function ChooseKey({ onChange }: { onChange: (apiKey: string) => void }) {
  const wrenn = useWrenn()
  const queries = useQueryClient()
  const [pasted, setPasted] = useState('')
  const create = useMutation({
    mutationFn: () => wrenn.apiKeys.create({ name: 'Get started' }),
    // The answer holds a secret: it is not kept.
    gcTime: 0,
    onSuccess: ({ key }) => {
      void queries.invalidateQueries({ queryKey: keys.apiKeys })
      onChange(key)
    },
  })
  const paste = (text: string): void => {
    setPasted(text)
    if (keyPattern.test(text.trim())) onChange(text.trim())
  }
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-start gap-x-6 gap-y-4">
        <div className="flex flex-col items-start gap-1">
          <p className="font-medium">Begin with a key</p>
          <Button variant="primary" icon={KeyRound} isBusy={create.isPending} onClick={() => create.mutate()}>
            Create a key
          </Button>
        </div>
        <div className="min-w-0 flex-1 basis-72 sm:max-w-md">
          <TextField
            label="Or paste one of yours"
            name="key"
            isMono
            autoComplete="off"
            spellCheck={false}
            placeholder="wrn_…"
            value={pasted}
            onChange={paste}
            error={
              pasted.trim() === ''
                ? undefined
                : 'This is no key: those begin with wrn_ and have 40 digits more'
            }
          />
        </div>
      </div>
      <p className="text-xs text-muted">
        The snippets below get it filled in. It stays in this page’s memory, and is stored nowhere.
      </p>
      {create.error && <InlineError error={create.error} />}
    </div>
  )
}
