// Values made from a contract's schemas, for fast-check: those that are right, and those in which something is wrong.
import * as fc from 'fast-check'
import type { Schema } from '@wrenn/contract'

type Schemas = Record<string, Schema>

/** As far as the schema says: what only a host knows (how many cores it has) may still be wrong. */
export function validValue(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  const { $ref: reference } = schema
  if (typeof reference === 'string')
    return validValue(schemas[reference.replace('contract#/$defs/', '')] ?? {}, schemas)
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]))
  switch (schema['type'] as string) {
    case 'string':
      return text(schema)
    case 'integer':
      return fc.integer({ min: numberOf(schema, 'minimum', -1_000), max: numberOf(schema, 'maximum', 1_000) })
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(validValue(schema['items'] as Schema, schemas), { maxLength: 4 })
    case 'object':
      return record(schema, schemas)
    default:
      return fc.jsonValue()
  }
}

/** Another type altogether, one field of a wrong type, or a field that nobody knows. */
export function brokenValue(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  const junk = fc.jsonValue({ maxDepth: 2 })
  const spoilt = fc.tuple(validValue(schema, schemas), fc.nat(), junk).map(([value, at, junk]) => {
    if (typeof value !== 'object' || value === null) return junk
    const keys = [...Object.keys(value), 'unknown']
    return Object.assign(value, { [keys[at % keys.length] ?? '']: junk })
  })
  return fc.oneof(junk, spoilt)
}

function record(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  const properties = schema['properties'] as Schemas | undefined
  if (properties) {
    const fields = Object.entries(properties).map(([key, value]) => [key, validValue(value, schemas)])
    const requiredKeys = (schema['required'] ?? []) as string[]
    return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys })
  }
  const keys = text((schema['propertyNames'] ?? {}) as Schema)
  return fc.dictionary(keys, validValue((schema['additionalProperties'] ?? {}) as Schema, schemas), {
    maxKeys: 4,
  })
}

function text(schema: Schema): fc.Arbitrary<string> {
  if (schema['format'] === 'email') return fc.emailAddress()
  const minLength = numberOf(schema, 'minLength', 0)
  const maxLength = Math.min(numberOf(schema, 'maxLength', 64), minLength + 64)
  const any = fc.string({ unit: 'grapheme', minLength, maxLength })
  const { pattern } = schema
  // Patterns of what must not occur are nearly always met.
  if (typeof pattern !== 'string' || pattern.startsWith('^[^')) return any
  return pattern.includes('[^') ? any.map((rest) => `/${rest}`) : fc.stringMatching(new RegExp(pattern))
}

function numberOf(schema: Schema, key: string, otherwise: number): number {
  const value = schema[key]
  return typeof value === 'number' ? value : otherwise
}
