// What pages read, each as options for useQuery: `useQuery(sandboxesQuery(useWrenn()))`. What is live is kept current by
// live/, and never stale: it is read again only when the event stream begins anew.
import { queryOptions } from '@tanstack/react-query'
import type { Sandbox, Wrenn } from '@wrenn/sdk'
import { keys } from './keys.ts'

/** Ways to sign in. */
export function providersQuery(wrenn: Wrenn) {
  return queryOptions({
    queryKey: keys.providers,
    queryFn: ({ signal }) => wrenn.auth.providers({ signal }),
    retry: 2,
    staleTime: Infinity,
  })
}

/** The team and the user of this session. */
export function meQuery(wrenn: Wrenn) {
  return queryOptions({
    queryKey: keys.me,
    queryFn: ({ signal }) => wrenn.me({ signal }),
    staleTime: Infinity,
  })
}

/** All of the team but stopped ones, newest first. Live. */
export function sandboxesQuery(wrenn: Wrenn) {
  return queryOptions({
    queryKey: keys.sandboxes,
    queryFn: async ({ signal }) => {
      const all: Sandbox[] = []
      for await (const sandbox of wrenn.sandboxes.list({}, { signal })) all.push(sandbox)
      return all
    },
    staleTime: Infinity,
  })
}

/** One, also when it is stopped. Live. */
export function sandboxQuery(wrenn: Wrenn, id: string) {
  return queryOptions({
    queryKey: keys.sandbox(id),
    queryFn: ({ signal }) => wrenn.sandboxes.get(id, { signal }),
    staleTime: Infinity,
  })
}

/** Base templates and the team's snapshots. Live. */
export function templatesQuery(wrenn: Wrenn) {
  return queryOptions({
    queryKey: keys.templates,
    queryFn: ({ signal }) => wrenn.snapshots.list({ signal }),
    staleTime: Infinity,
  })
}

export function apiKeysQuery(wrenn: Wrenn) {
  return queryOptions({
    queryKey: keys.apiKeys,
    queryFn: ({ signal }) => wrenn.apiKeys.list({ signal }),
  })
}

/** What is up, and how large a sandbox may be. */
export function healthQuery(wrenn: Wrenn) {
  return queryOptions({
    queryKey: keys.health,
    queryFn: ({ signal }) => wrenn.health({ signal }),
  })
}
