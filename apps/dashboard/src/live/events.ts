// What the event stream says, put into the query cache, so that every page that shows it changes by itself.
import type { QueryClient } from '@tanstack/react-query'
import type { Sandbox, Template } from '@wrenn/sdk'
import { keys } from '../data/queries.ts'

export type TeamEvent =
  | { type: 'ready' }
  | { type: 'sandbox'; sandbox: Sandbox }
  | { type: 'template'; template: Template }
  | { type: 'template_deleted'; name: string }

export function applyEvent(queries: QueryClient, event: TeamEvent): void {
  switch (event.type) {
    case 'ready':
      // Whatever was read before may have changed unseen.
      void queries.invalidateQueries()
      return
    case 'sandbox':
      putSandbox(queries, event.sandbox)
      return
    case 'template':
      queries.setQueryData<Template[]>(keys.templates, (all) => withTemplate(all, event.template))
      return
    case 'template_deleted':
      queries.setQueryData<Template[]>(keys.templates, (all) =>
        all?.filter(({ name }) => name !== event.name),
      )
  }
}

/** Also what the answer to an action says, which may come before its event or after it. */
export function putSandbox(queries: QueryClient, sandbox: Sandbox): void {
  const { id } = sandbox
  queries.setQueryData<Sandbox>(keys.sandbox(id), (known) => newer(known, sandbox))
  queries.setQueryData<Sandbox[]>(keys.sandboxes, (all) => withSandbox(all, sandbox))
  void queries.invalidateQueries({ queryKey: keys.sandboxEvents(id) })
}

/** The list as the server would give it: newest first, without stopped ones. Undefined stays: it was never read. */
export function withSandbox(all: Sandbox[] | undefined, sandbox: Sandbox): Sandbox[] | undefined {
  if (!all) return undefined
  const known = all.find(({ id }) => id === sandbox.id)
  const next = newer(known, sandbox)
  if (next === known) return all
  if (next.status === 'stopped') return all.filter(({ id }) => id !== next.id)
  if (known) return all.map((each) => (each.id === next.id ? next : each))
  return [...all, next].sort((a, b) => b.created_at.localeCompare(a.created_at))
}

function withTemplate(all: Template[] | undefined, template: Template): Template[] | undefined {
  if (!all) return undefined
  const isKnown = all.some(({ name }) => name === template.name)
  return isKnown
    ? all.map((each) => (each.name === template.name ? template : each))
    : [template, ...all].sort((a, b) => b.created_at.localeCompare(a.created_at))
}

/** Answers and events overtake each other; `last_updated` does not go back. */
function newer(known: Sandbox | undefined, sandbox: Sandbox): Sandbox {
  return known && known.last_updated > sandbox.last_updated ? known : sandbox
}
