// /sandboxes: all of the team, live. Which of them are shown, and whether one is being created, is in the URL.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Box, Plus, SearchX } from 'lucide-react'
import { useDeferredValue } from 'react'
import { sandboxesQuery } from '../data/queries.ts'
import { Page } from '../layout/page.tsx'
import { SandboxActions } from '../sandboxes/sandbox-actions.tsx'
import { useWrenn } from '../session/client.ts'
import { Button } from '../ui/button.tsx'
import { CopyAsCurl } from '../ui/copy-as-curl.tsx'
import { EmptyState } from '../ui/empty-state.tsx'
import { ErrorState } from '../ui/error-state.tsx'
import { LinkButton } from '../ui/link-button.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { CreateDialog } from './sandboxes/create-dialog.tsx'
import { FilterBar } from './sandboxes/filter-bar.tsx'
import { SandboxList } from './sandboxes/sandbox-list.tsx'
import { matches } from './sandboxes/search.ts'
import { useSearchText } from './sandboxes/use-search-text.ts'

const route = getRouteApi('/app/sandboxes')

export function SandboxesPage() {
  const { status, create } = route.useSearch()
  const navigate = route.useNavigate()
  const [text, setText] = useSearchText()
  const sandboxes = useQuery(sandboxesQuery(useWrenn()))
  const all = sandboxes.data ?? []
  // Typing goes before hundreds of rows.
  const q = useDeferredValue(text)
  const shown = all.filter((sandbox) => matches(sandbox, { q, ...(status ? { status } : {}) }))

  const showCreate = (template: string | undefined): void =>
    void navigate({
      search: ({ create: _create, ...rest }) =>
        template === undefined ? rest : { ...rest, create: template },
      resetScroll: false,
    })
  const showAll = (): void => {
    setText('')
    void navigate({ search: {}, replace: true })
  }
  return (
    <SandboxActions>
      <Page
        title="Sandboxes"
        actions={
          <>
            <CopyAsCurl call={{ method: 'GET', path: '/v1/sandboxes' }} size="md" />
            <Button variant="primary" icon={Plus} onClick={() => showCreate('')}>
              Create sandbox
            </Button>
          </>
        }
      >
        {sandboxes.isPending && <Skeleton label="Loading the sandboxes" rows={6} />}
        {sandboxes.error && (
          <ErrorState
            title="The sandboxes could not be loaded"
            error={sandboxes.error}
            onRetry={() => void sandboxes.refetch()}
          />
        )}
        {all.length > 0 && <FilterBar sandboxes={all} text={text} onText={setText} />}
        {sandboxes.data?.length === 0 && <NoSandboxes onCreate={() => showCreate('')} />}
        {all.length > 0 && shown.length === 0 && <NoMatch onShowAll={showAll} />}
        {shown.length > 0 && <SandboxList sandboxes={shown} />}
      </Page>
      {create !== undefined && (
        <CreateDialog key={create} template={create} onClose={() => showCreate(undefined)} />
      )}
    </SandboxActions>
  )
}

function NoSandboxes({ onCreate }: { onCreate: () => void }) {
  return (
    <EmptyState
      icon={Box}
      title="No sandboxes yet"
      action={
        <span className="flex flex-wrap justify-center gap-2">
          <Button variant="primary" icon={Plus} onClick={onCreate}>
            Create sandbox
          </Button>
          <LinkButton to="/start">Create one with the API</LinkButton>
        </span>
      }
    >
      A sandbox is a small Linux machine of its own, there in an instant: run code in it that you do not
      trust, pause it and go on later, or save it as a snapshot.
    </EmptyState>
  )
}

function NoMatch({ onShowAll }: { onShowAll: () => void }) {
  return (
    <EmptyState
      icon={SearchX}
      title="No sandbox matches"
      action={<Button onClick={onShowAll}>Show all</Button>}
    >
      None has this text and this status.
    </EmptyState>
  )
}
