// Around the pages behind the sign-in: navigation at the side, or behind a button on narrow screens; the session's client
// for all of them; the event stream.
import { QueryClientProvider } from '@tanstack/react-query'
import { CatchBoundary, Outlet, useRouteContext, useRouterState } from '@tanstack/react-router'
import { useLive } from '../live/use-live.ts'
import { ClientContext } from '../session/client.ts'
import { RouteError } from './boundaries.tsx'
import { ConnectionNotice } from './connection-notice.tsx'
import { Sidebar } from './sidebar.tsx'
import { TopBar } from './top-bar.tsx'

export function AppLayout() {
  const { client } = useRouteContext({ from: '/app' })
  const connection = useLive(client)
  const path = useRouterState({ select: ({ location }) => location.pathname })
  return (
    <ClientContext value={client}>
      <QueryClientProvider client={client.queries}>
        <a
          href="#content"
          className="absolute top-2 left-2 z-10 -translate-y-16 rounded-md bg-accent px-3 py-1.5 text-on-accent focus:translate-y-0"
        >
          Skip to content
        </a>
        <div className="min-h-dvh md:grid md:grid-cols-[14rem_minmax(0,1fr)]">
          <Sidebar />
          <div className="flex min-w-0 flex-col">
            <TopBar />
            <ConnectionNotice connection={connection} />
            <main id="content" tabIndex={-1} className="flex-1">
              <CatchBoundary getResetKey={() => path} errorComponent={RouteError}>
                <Outlet />
              </CatchBoundary>
            </main>
          </div>
        </div>
      </QueryClientProvider>
    </ClientContext>
  )
}
