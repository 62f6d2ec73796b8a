// A query string's values are text. Where the contract names an integer, digits become one; where it names an object
// `metadata`, the parameters `metadata.KEY` are gathered into it. What does not fit stays as it is for the validator to
// refuse. Called by contract.ts before a query is validated.
import type { Schema } from './document.ts'

/** Changes `query` in place. A parameter given twice is an array, which no schema of ours takes. */
export function readQuery(
  parameters: readonly { name: string; schema: Schema }[],
  query: Record<string, unknown>,
): void {
  for (const { name, schema } of parameters) {
    const value = query[name]
    if (schema['type'] === 'integer' && typeof value === 'string' && /^-?\d{1,15}$/.test(value))
      query[name] = Number(value)
    if (schema['type'] === 'object') gather(`${name}.`, query)
  }
}

function gather(prefix: string, query: Record<string, unknown>): void {
  const entries = Object.entries(query).filter(([name]) => name.startsWith(prefix))
  if (entries.length === 0) return
  for (const [name] of entries) delete query[name]
  query[prefix.slice(0, -1)] = Object.fromEntries(
    entries.map(([name, value]) => [name.slice(prefix.length), value]),
  )
}
