// Which methods a path has: for 405 with Allow, and for OPTIONS.
import type { Operation } from '@wrenn/contract'

export interface RouteTable {
  /** The methods of the URL's path; undefined when no operation has such a path. */
  methodsOf: (url: string) => string[] | undefined
}

export function createRouteTable(operations: readonly Operation[]): RouteTable {
  const methodsByPath = new Map<string, string[]>()
  for (const { path, method } of operations) {
    const methods = methodsByPath.get(path) ?? []
    methods.push(method, ...(method === 'GET' ? ['HEAD'] : []))
    methodsByPath.set(path, methods)
  }
  const patterns = [...methodsByPath].map(([path, methods]) => ({ pattern: pathPattern(path), methods }))
  return {
    methodsOf: (url) => {
      const path = url.split('?')[0] ?? ''
      return patterns.find(({ pattern }) => pattern.test(path))?.methods
    },
  }
}

/** "/v1/sandboxes/{id}" as a regular expression; everything outside the braces stands for itself. */
function pathPattern(path: string): RegExp {
  const parts = path.split(/\{\w+\}/).map((part) => RegExp.escape(part))
  return new RegExp(`^${parts.join('[^/]+')}$`)
}
