// Validation errors as sentences for the caller: which field, what is wrong with it, what would be right.
import type { ErrorObject } from 'ajv'

const formatNames: Record<string, string> = {
  email: 'must be an e-mail address',
  'date-time': 'must be an RFC 3339 time such as 2026-01-31T12:00:00Z',
}

/** Wants an error of an ajv with `verbose`: it carries the schema and the value. */
export function validationMessage(error: ErrorObject): string {
  const field = fieldName(error.instancePath)
  const limit = String(error.params['limit'])
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownFields(error)
    case 'required':
      return `${join(field, String(error.params['missingProperty']))}: is required`
    case 'type':
      return `${field}: must be ${typeNames(error.params['type'])}`
    case 'enum':
      return `${field}: must be one of ${oneOf(error.params['allowedValues'])}`
    case 'minimum':
      return `${field}: must be at least ${limit}`
    case 'maximum':
      return `${field}: must be at most ${limit}`
    case 'multipleOf':
      return `${field}: must be a multiple of ${String(error.params['multipleOf'])}`
    case 'minLength':
      return limit === '1'
        ? `${field}: must not be empty`
        : `${field}: must have at least ${limit} characters`
    case 'maxLength':
      return `${field}: must have at most ${limit} characters`
    case 'minItems':
      return `${field}: must have at least ${limit} items`
    case 'maxItems':
      return `${field}: must have at most ${limit} items`
    case 'maxProperties':
      return `${field}: must have at most ${limit} entries`
    case 'format':
      return `${field}: ${formatNames[String(error.params['format'])] ?? 'is not in the right format'}`
    case 'pattern':
      return patternMessage(field, error)
    default:
      return `${field}: ${error.message ?? 'is not valid'}`
  }
}

/** `x-hint` beside a pattern says in words what is right. A name of an object's property is quoted. */
function patternMessage(field: string, error: ErrorObject): string {
  const hint: unknown = error.parentSchema?.['x-hint']
  const what = typeof hint === 'string' ? hint : `must match ${String(error.params['pattern'])}`
  return error.propertyName === undefined
    ? `${field}: ${what}`
    : `${field}: the name ${JSON.stringify(error.propertyName.slice(0, 64))} ${what}`
}

/** "/args/0" as args[0]; the whole value is "body". */
function fieldName(instancePath: string): string {
  const keys = instancePath.split('/').slice(1)
  return keys
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, key) => (/^\d+$/.test(key) && path !== '' ? `${path}[${key}]` : join(path, key)), '')
    .slice(0, 200)
    .replace(/^$/, 'body')
}

function join(path: string, key: string): string {
  // The caller's text: quoted unless it is a plain word.
  const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key)
  return path === '' || path === 'body' ? name : `${path}.${name}`
}

/** All of them at once, not one per attempt; at most five, and shortened: they are the caller's text. */
function unknownFields(error: ErrorObject): string {
  const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {})
  const unknown = Object.keys(error.data as object).filter((key) => !known.includes(key))
  const field = fieldName(error.instancePath)
  const names = unknown.slice(0, 5).map((key) => join(field, key.slice(0, 64)))
  return `${names.join(', ')}: unknown ${unknown.length > 1 ? 'fields' : 'field'}; known are ${known.join(', ')}`
}

function typeNames(types: unknown): string {
  const names = (Array.isArray(types) ? types : [types]).map(String)
  return names
    .map((name) => (/^[aeio]/.test(name) ? `an ${name}` : name === 'null' ? name : `a ${name}`))
    .join(' or ')
}

function oneOf(values: unknown): string {
  return (values as unknown[]).map((value) => JSON.stringify(value)).join(', ')
}
