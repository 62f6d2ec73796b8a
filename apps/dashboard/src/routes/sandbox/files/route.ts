// The address of the files tab: the sandbox, and the path in its search.
import { getRouteApi } from '@tanstack/react-router'

export const route = getRouteApi('/app/sandboxes/$id/files')

/** Where commands run, too. */
export const homePath = '/root'
