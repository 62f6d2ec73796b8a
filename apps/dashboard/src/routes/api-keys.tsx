// /api-keys: make, list and revoke keys.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { ApiKey, NewApiKey } from '@wrenn/sdk'
import { KeyRound, Plus, Trash2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import { keys } from '../data/keys.ts'
import { apiKeysQuery } from '../data/queries.ts'
import { Page } from '../layout/page.tsx'
import { useWrenn } from '../session/client.ts'
import { Button } from '../ui/button.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { EmptyState } from '../ui/empty-state.tsx'
import { ErrorState } from '../ui/error-state.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { Table, type Column } from '../ui/table.tsx'
import { RelativeTime } from '../ui/time.tsx'
import { notify } from '../ui/toasts.tsx'
import { CreateKeyDialog } from './api-keys/create-key-dialog.tsx'
import { NewKeyDialog } from './api-keys/new-key-dialog.tsx'

export function ApiKeysPage() {
  const apiKeys = useQuery(apiKeysQuery(useWrenn()))
  const [isCreating, setIsCreating] = useState(false)
  const [created, setCreated] = useState<NewApiKey>()
  const [revoking, setRevoking] = useState<ApiKey>()

  const createButton = (
    <Button variant="primary" icon={Plus} onClick={() => setIsCreating(true)}>
      Create key
    </Button>
  )
  const hasKeys = apiKeys.data !== undefined && apiKeys.data.length > 0
  return (
    <Page
      title="API keys"
      description="Programs use the platform with a key. It may do everything that your team may, but manage keys."
      actions={hasKeys && createButton}
    >
      {apiKeys.isPending && <Skeleton label="Loading the API keys" />}
      {apiKeys.error && (
        <ErrorState
          title="The API keys could not be loaded"
          error={apiKeys.error}
          onRetry={() => void apiKeys.refetch()}
        />
      )}
      {apiKeys.data?.length === 0 && (
        <EmptyState icon={KeyRound} title="No API keys yet" action={createButton}>
          Create one for each program or machine that uses the platform: then you can revoke them one by one.
        </EmptyState>
      )}
      {hasKeys && <KeyTable apiKeys={apiKeys.data} onRevoke={setRevoking} />}
      <CreateKeyDialog
        isOpen={isCreating}
        onClose={() => setIsCreating(false)}
        onCreated={(key) => {
          setIsCreating(false)
          setCreated(key)
        }}
      />
      {created && <NewKeyDialog created={created} onClose={() => setCreated(undefined)} />}
      <RevokeDialog apiKey={revoking} onClose={() => setRevoking(undefined)} />
    </Page>
  )
}

interface KeyTableProps {
  apiKeys: readonly ApiKey[]
  onRevoke: (apiKey: ApiKey) => void
}

function KeyTable({ apiKeys, onRevoke }: KeyTableProps) {
  const columns = useMemo(() => keyColumns(onRevoke), [onRevoke])
  return <Table label="API keys" columns={columns} rows={apiKeys} rowKey={({ id }) => id} />
}

function keyColumns(onRevoke: KeyTableProps['onRevoke']): readonly Column<ApiKey>[] {
  return [
    {
      header: 'Name',
      isMain: true,
      cell: ({ name }) => <span className="[overflow-wrap:anywhere]">{name}</span>,
    },
    { header: 'Key', cell: ({ key_prefix }) => <code className="font-mono text-xs">{key_prefix}</code> },
    { header: 'Created', cell: ({ created_at }) => <RelativeTime at={created_at} /> },
    {
      header: 'Last used',
      cell: ({ last_used }) =>
        last_used === null ? <span className="text-muted">never</span> : <RelativeTime at={last_used} />,
    },
    {
      header: '',
      label: 'Actions',
      isRight: true,
      cell: (apiKey) => (
        <Button size="sm" icon={Trash2} onClick={() => onRevoke(apiKey)} aria-label={`Revoke ${apiKey.name}`}>
          Revoke
        </Button>
      ),
    },
  ]
}

function RevokeDialog({ apiKey, onClose }: { apiKey: ApiKey | undefined; onClose: () => void }) {
  const wrenn = useWrenn()
  const queries = useQueryClient()
  const { id = '', name = '', key_prefix: prefix = '' } = apiKey ?? {}
  const revoke = async (): Promise<void> => {
    await wrenn.apiKeys.delete(id)
    queries.setQueryData<ApiKey[]>(keys.apiKeys, (all) => all?.filter((each) => each.id !== id))
    notify.done(`Revoked ${name}`)
  }
  return (
    <ConfirmDialog
      isOpen={apiKey !== undefined}
      onClose={onClose}
      title={`Revoke ${name}?`}
      confirmLabel="Revoke"
      onConfirm={revoke}
      call={{
        method: 'DELETE',
        path: `/v1/api-keys/${encodeURIComponent(id)}`,
        credential: 'token',
      }}
    >
      <code className="font-mono text-xs">{prefix}</code> stops working at once, for every program that uses
      it. This cannot be undone. Sandboxes that were made with it live on.
    </ConfirmDialog>
  )
}
