// The routes: which path shows which page, and which pages need a session. Each page is a file in routes/, loaded when it
// is first visited or its link is touched. A new page: a line in paths.ts, a route here, a file in routes/.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router'
import { AppLayout } from './layout/app-layout.tsx'
import { RouteError, RoutePending, UnknownPage } from './layout/boundaries.tsx'
import { RootLayout } from './layout/root-layout.tsx'
import type { Page } from './paths.ts'
import { sandboxesSearch } from './routes/sandboxes/search.ts'
import { clientOf } from './session/client.ts'
import { safeReturnTo } from './session/return-to.ts'
import { sessions } from './session/session.ts'

const rootRoute = createRootRoute({ component: RootLayout, notFoundComponent: UnknownPage })

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/sandboxes', replace: true })
  },
})

// ── before the sign-in ──

/** Where to go afterwards. */
const returnSearch = (search: Record<string, unknown>): { to?: string } =>
  search['to'] === undefined ? {} : { to: safeReturnTo(search['to'], location.origin) }

/** Whoever has a session has no use for signing in. */
const leaveWhenSignedIn = ({ search }: { search: { to?: string } }): void => {
  if (sessions.current) throw redirect({ href: search.to ?? '/sandboxes', replace: true })
}

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: returnSearch,
  beforeLoad: leaveWhenSignedIn,
  component: lazyRouteComponent(() => import('./routes/sign-in.tsx'), 'SignInPage'),
})

const signUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-up',
  validateSearch: returnSearch,
  beforeLoad: leaveWhenSignedIn,
  component: lazyRouteComponent(() => import('./routes/sign-up.tsx'), 'SignUpPage'),
})

const callbackRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/auth/$provider/callback',
  component: lazyRouteComponent(() => import('./routes/auth-callback.tsx'), 'AuthCallbackPage'),
})

// ── behind it ──

const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'app',
  beforeLoad: ({ location: { href } }) => {
    const session = sessions.current
    if (session) return { client: clientOf(session) }
    // Whoever has signed out is not led back to where somebody else may not go.
    const search = sessions.lastEnd === 'signed_out' || href === '/sandboxes' ? {} : { to: href }
    throw redirect({ to: '/sign-in', search, replace: true })
  },
  component: AppLayout,
})

const sandboxesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/sandboxes',
  validateSearch: sandboxesSearch,
  component: lazyRouteComponent(() => import('./routes/sandboxes.tsx'), 'SandboxesPage'),
})

const sandboxRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/sandboxes/$id',
  component: lazyRouteComponent(() => import('./routes/sandbox/sandbox.tsx'), 'SandboxPage'),
})

const terminalRoute = createRoute({
  getParentRoute: () => sandboxRoute,
  path: '/',
  component: lazyRouteComponent(() => import('./routes/sandbox/terminal.tsx'), 'TerminalTab'),
})

const runRoute = createRoute({
  getParentRoute: () => sandboxRoute,
  path: '/run',
  component: lazyRouteComponent(() => import('./routes/sandbox/run.tsx'), 'RunTab'),
})

const filesRoute = createRoute({
  getParentRoute: () => sandboxRoute,
  path: '/files',
  /** The folder, or the file that is open. */
  validateSearch: (search: Record<string, unknown>): { path?: string } =>
    typeof search['path'] === 'string' && search['path'].startsWith('/') ? { path: search['path'] } : {},
  component: lazyRouteComponent(() => import('./routes/sandbox/files.tsx'), 'FilesTab'),
})

const metricsRoute = createRoute({
  getParentRoute: () => sandboxRoute,
  path: '/metrics',
  component: lazyRouteComponent(() => import('./routes/sandbox/metrics.tsx'), 'MetricsTab'),
})

const historyRoute = createRoute({
  getParentRoute: () => sandboxRoute,
  path: '/history',
  component: lazyRouteComponent(() => import('./routes/sandbox/history.tsx'), 'HistoryTab'),
})

const detailsRoute = createRoute({
  getParentRoute: () => sandboxRoute,
  path: '/details',
  component: lazyRouteComponent(() => import('./routes/sandbox/details.tsx'), 'DetailsTab'),
})

const snapshotsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/snapshots',
  component: lazyRouteComponent(() => import('./routes/snapshots.tsx'), 'SnapshotsPage'),
})

const apiKeysRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/api-keys',
  component: lazyRouteComponent(() => import('./routes/api-keys.tsx'), 'ApiKeysPage'),
})

const startRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/start',
  component: lazyRouteComponent(() => import('./routes/start.tsx'), 'StartPage'),
})

const sandboxTabs = [terminalRoute, runRoute, filesRoute, metricsRoute, historyRoute, detailsRoute]
const appPages = [
  sandboxesRoute,
  sandboxRoute.addChildren(sandboxTabs),
  snapshotsRoute,
  apiKeysRoute,
  startRoute,
]

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    indexRoute,
    signInRoute,
    signUpRoute,
    callbackRoute,
    appRoute.addChildren(appPages),
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: RouteError,
  defaultPendingComponent: RoutePending,
  // A page that is there at once shows no skeleton first.
  defaultPendingMs: 200,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

/** Does not compile when paths.ts, which the server knows the pages by, and the routes above differ. */
type WithoutSlash<Path extends string> = Path extends `${infer Rest extends `/${string}`}/` ? Rest : Path
type RoutePath = WithoutSlash<keyof typeof router.routesByPath>
export type PathsAgree = [RoutePath, Page] extends [Page, RoutePath] ? true : never
true satisfies PathsAgree
