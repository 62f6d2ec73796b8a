// The sandbox of the page, for its tabs: SandboxPage shows them once it is loaded.
import { useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import type { Sandbox } from '@wrenn/sdk'
import { sandboxQuery } from '../../data/queries.ts'
import { useWrenn } from '../../session/client.ts'

const route = getRouteApi('/app/sandboxes/$id')

export function useSandbox(): Sandbox {
  const { id } = route.useParams()
  return useSuspenseQuery(sandboxQuery(useWrenn(), id)).data
}
