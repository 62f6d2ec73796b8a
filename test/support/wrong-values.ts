// Values that a contract's schema refuses, each with one thing wrong: made from the schema, so that no field is forgotten.
import type { Schema } from '@wrenn/contract'

type Schemas = Record<string, Schema>

/** A value that a schema refuses: what the message must begin with. */
export interface WrongValue {
  value: unknown
  says: RegExp
}

/** Of every JSON type, and what a lenient reader would take for another. */
const samples = [null, true, 'true', 1, '1', 1.5, 'text', '', [], {}]

/**
 * `right` with one thing wrong in it, for everything that its schema says: every other type, each bound overstepped by
 * one, an enum's and a pattern's opposite, a field left out, one too many. `at` is the field's name.
 */
export function wrongValues(schema: Schema, right: unknown, options: WrongOptions): WrongValue[] {
  const resolved = resolve(schema, options.schemas)
  const { at = 'body' } = options
  const field = RegExp.escape(at)
  const wrong = (value: unknown, says: string): WrongValue => ({
    value,
    says: new RegExp(`^${field}: ${says}`),
  })
  const type = resolved['type'] as string
  return [
    ...otherTypes(type).map((value) => wrong(value, 'must be an? ')),
    ...(type === 'string' ? wrongTexts(resolved).map((value) => wrong(value, 'must ')) : []),
    ...(type === 'integer' ? wrongIntegers(resolved).map((value) => wrong(value, 'must be ')) : []),
    ...(type === 'array' ? wrongItems(resolved, right, options) : []),
    ...(type === 'object' ? wrongObjects(resolved, right, options) : []),
  ]
}

/** Query strings and headers (for which only text can be sent), each with one parameter that is wrong. */
export function wrongParameters(
  parameters: readonly Parameter[],
  schemas: Schemas,
): { in: 'query' | 'header'; name: string; text: string; says: RegExp }[] {
  return parameters.flatMap(({ in: place, name, schema }) => {
    if (place !== 'query' && place !== 'header') return []
    const { type } = resolve(schema, schemas)
    const wrong = wrongValues(schema, {}, { schemas, at: name })
    if (type === 'object')
      return wrong.flatMap(({ value, says }) => {
        const pairs = Object.entries(typeof value === 'object' ? (value ?? {}) : {})
        if (pairs.length === 0 || pairs.some(([, text]) => typeof text !== 'string')) return []
        if (!pairs.flat().join('').isWellFormed()) return []
        const text = pairs.map(([key, text]) => `${name}.${encode(key)}=${encode(String(text))}`).join('&')
        return [{ in: place, name, text, says }]
      })
    const texts = wrong
      .filter(({ value }) => typeof value === 'string' || (type === 'integer' && typeof value === 'number'))
      .filter(({ value }) => type !== 'integer' || value !== '1')
      .filter(({ value }) => String(value).isWellFormed())
      .map(({ value, says }) => ({ text: String(value), says }))
    if (place === 'header')
      return texts
        .filter(({ text }) => /^[\x20-\x7e]*$/.test(text))
        .map(({ text, says }) => ({ in: place, name, text, says }))
    const twice = { text: `1&${name}=1`, says: new RegExp(`^${RegExp.escape(name)}: must be `) }
    return [...texts.map(({ text, says }) => ({ text: encode(text), says })), twice].map(
      ({ text, says }) => ({
        in: place,
        name,
        text: `${name}=${text}`,
        says,
      }),
    )
  })
}

interface Parameter {
  in: string
  name: string
  schema: Schema
}

function encode(text: string): string {
  return encodeURIComponent(text)
}

interface WrongOptions {
  schemas: Schemas
  /** Of the field; the whole body when left out. */
  at?: string
}

function resolve(schema: Schema, schemas: Schemas): Schema {
  const { $ref: reference } = schema
  if (typeof reference !== 'string') return schema
  const keys = reference.replace('contract#/$defs/', '').split('/')
  const target = keys.reduce<unknown>((at, key) => (at as Schemas | undefined)?.[key], schemas)
  return resolve((target ?? {}) as Schema, schemas)
}

/** Nothing is coerced: a number's digits are no number. */
function otherTypes(type: string): unknown[] {
  return samples.filter((value) => {
    if (type === 'array') return !Array.isArray(value)
    if (type === 'object') return typeof value !== 'object' || value === null || Array.isArray(value)
    return type === 'integer' ? !Number.isInteger(value) : typeof value !== type
  })
}

function wrongTexts(schema: Schema): string[] {
  const { pattern, minLength = 0, maxLength, enum: values, format } = schema
  const candidates = ['', '/a\0b', 'a\0b', '../etc', 'relative', 'ü', '\ud800']
  return [
    ...(Number(minLength) > 0 ? ['a'.repeat(Number(minLength) - 1)] : []),
    ...(typeof maxLength === 'number' ? ['a'.repeat(maxLength + 1)] : []),
    ...(Array.isArray(values) ? ['none of them'] : []),
    ...(format === 'email' ? ['nobody', 'a@b', 'a\0@b.co', `${'a'.repeat(250)}@b.co`] : []),
    ...(typeof pattern === 'string'
      ? candidates.filter((text) => text.length >= Number(minLength) && !new RegExp(pattern, 'u').test(text))
      : []),
  ]
}

function wrongIntegers({ minimum, maximum }: Schema): number[] {
  return [
    ...(typeof minimum === 'number' ? [minimum - 1] : []),
    ...(typeof maximum === 'number' ? [maximum + 1, 1e300] : []),
  ]
}

function wrongItems(schema: Schema, right: unknown, options: WrongOptions): WrongValue[] {
  const first = (right as unknown[] | undefined)?.[0]
  const at = `${options.at}[0]`
  return wrongValues(schema['items'] as Schema, first, { ...options, at }).map(({ value, says }) => ({
    value: [value],
    says,
  }))
}

function wrongObjects(schema: Schema, right: unknown, options: WrongOptions): WrongValue[] {
  const { at = 'body', schemas } = options
  const path = (key: string): string => (at === 'body' ? key : `${at}.${key}`)
  const inside = (key: string, part: Schema): WrongValue[] =>
    wrongValues(part, (right as Schemas | undefined)?.[key], { schemas, at: path(key) }).map(
      ({ value, says }) => ({
        value: { ...(right as object), [key]: value },
        says,
      }),
    )
  const properties = schema['properties'] as Schemas | undefined
  const required = (schema['required'] ?? []) as string[]
  if (!properties)
    return [...inside('key', schema['additionalProperties'] as Schema), ...wrongNames(schema, at)]
  return [
    ...required.map((key) => ({
      value: Object.fromEntries(Object.entries(right as object).filter(([name]) => name !== key)),
      says: new RegExp(`^${RegExp.escape(path(key))}: is required$`),
    })),
    // Computed: a field of its own, also where the name means something to JavaScript.
    ...['surprise', '__proto__', 'constructor'].map((key) => ({
      value: { ...(right as object), [key]: 1 },
      says: new RegExp(`^${RegExp.escape(path(key))}: unknown field; known are `),
    })),
    ...Object.entries(properties).flatMap(([key, part]) => inside(key, part)),
  ]
}

/** Of an object that names no properties. */
function wrongNames(schema: Schema, at: string): WrongValue[] {
  const { maxProperties } = schema
  const names = wrongTexts((schema['propertyNames'] ?? {}) as Schema)
  const tooMany = Array.from({ length: Number(maxProperties ?? 0) + 1 }, (_, n) => [`k${n}`, ''])
  return [
    ...names.map((name) => ({
      value: { [name]: '' },
      says: new RegExp(`^${RegExp.escape(at)}: the name "`),
    })),
    ...(maxProperties === undefined
      ? []
      : [
          {
            value: Object.fromEntries(tooMany) as unknown,
            says: new RegExp(`^${RegExp.escape(at)}: must have at most`),
          },
        ]),
  ]
}
