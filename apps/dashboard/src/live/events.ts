// What the event stream says, put into the query cache, so that every page that shows it changes by itself.
import type { QueryClient, QueryKey } from '@tanstack/react-query'
import type { Sandbox, TeamEvent, Template } from '@wrenn/sdk'
import { keys } from '../data/keys.ts'

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
      putTemplates(queries, (all) => withTemplate(all, event.template))
      return
    case 'template_deleted':
      putTemplates(queries, (all) => all.filter(({ name }) => name !== event.name))
  }
}

/** Also for what the answer to an action says: it may come before its event, or after it. */
export function putSandbox(queries: QueryClient, sandbox: Sandbox): void {
  const { id } = sandbox
  queries.setQueryData<Sandbox>(keys.sandbox(id), (known) => known && newer(known, sandbox))
  queries.setQueryData<Sandbox[]>(keys.sandboxes, (all) => all && withSandbox(all, sandbox))
  restartReading(queries, keys.sandbox(id))
  restartReading(queries, keys.sandboxes)
  void queries.invalidateQueries({ queryKey: keys.sandboxEvents(id) })
}

function putTemplates(queries: QueryClient, change: (all: Template[]) => Template[]): void {
  queries.setQueryData<Template[]>(keys.templates, (all) => all && change(all))
  restartReading(queries, keys.templates)
}

/** An answer that is on its way may be older than the event, and would overwrite it. */
function restartReading(queries: QueryClient, queryKey: QueryKey): void {
  if (queries.isFetching({ queryKey, exact: true }) > 0)
    void queries.invalidateQueries({ queryKey, exact: true })
}

/** The list as the server would give it: newest first, without stopped ones. */
function withSandbox(all: Sandbox[], sandbox: Sandbox): Sandbox[] {
  const known = all.find(({ id }) => id === sandbox.id)
  const next = known ? newer(known, sandbox) : sandbox
  const others = all.filter((each) => each !== known)
  return next.status === 'stopped' ? others : newestFirst([...others, next])
}

function withTemplate(all: Template[], template: Template): Template[] {
  return newestFirst([...all.filter(({ name }) => name !== template.name), template])
}

function newestFirst<T extends { created_at: string }>(all: T[]): T[] {
  return all.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))
}

/** Answers and events overtake each other; `last_updated` does not go back. */
function newer(known: Sandbox, sandbox: Sandbox): Sandbox {
  return Date.parse(known.last_updated) > Date.parse(sandbox.last_updated) ? known : sandbox
}
