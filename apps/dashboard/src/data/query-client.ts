// The cache of what the server said. It is kept current by the event stream (live/), not by asking again and again.
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'

/** `onError`: told of every failure. Pages show theirs themselves. */
export function createQueryClient(onError: (error: unknown) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        // The SDK has tried again already, as often as makes sense.
        retry: false,
        // A platform on this machine is there without any network.
        networkMode: 'always',
        staleTime: 30_000,
        refetchOnWindowFocus: false,
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  })
}
