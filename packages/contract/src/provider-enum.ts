// The {provider} of the OAuth operations: which values it has is known to whoever serves them.
import { isMap, isNode, parseDocument, visit } from 'yaml'

/** The contract with these values in the enum of every path parameter `provider`; the rest stays as it is, byte for byte. */
export function withProviders(yaml: string, providers: readonly string[]): string {
  const ranges: [start: number, end: number][] = []
  visit(parseDocument(yaml), {
    Map: (_key, map) => {
      if (map.get('name') !== 'provider' || map.get('in') !== 'path') return
      const schema = map.get('schema')
      const values = isMap(schema) ? schema.get('enum', true) : undefined
      if (!isNode(values) || !values.range) throw new Error('contract: the parameter provider has no enum')
      ranges.push([values.range[0], values.range[1]])
    },
  })
  // From the end, so that what is replaced moves nothing that is still to be.
  return ranges.toReversed().reduce((text, [start, end]) => {
    return `${text.slice(0, start)}[${providers.join(', ')}]${text.slice(end)}`
  }, yaml)
}
