// An OpenAPI document as data: its operations in one flat list, references among parameters resolved, and its schemas
// turned into plain JSON Schema 2020-12. Knows no validator. Called by contract.ts and by the code generator.
import { parse } from 'yaml'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type Schema = { [key: string]: Json }

export interface OperationDocument {
  id: string
  method: string
  /** As in the contract: `/v1/sandboxes/{id}`. */
  path: string
  /** Names under components/securitySchemes, any one of which lets a caller in. Empty: open to all. */
  securitySchemes: string[]
  parameters: { name: string; in: string; required: boolean; schema: Schema }[]
  /** Undefined: the operation takes no body. */
  body: { required: boolean; content: Record<string, Schema> } | undefined
  /** By status, then by content type. */
  responses: Map<number, Record<string, Schema>>
}

export interface ContractDocument {
  operations: OperationDocument[]
  schemas: Record<string, Schema>
}

const methods = ['get', 'put', 'post', 'delete', 'patch'] as const

/** Parses a contract. Throws an Error that names the place when something in it is missing. */
export function parseDocument(yaml: string): ContractDocument {
  const root = object(parse(yaml), 'the document')
  const operations: OperationDocument[] = []
  for (const [path, value] of Object.entries(object(root['paths'] ?? {}, 'paths'))) {
    const item = object(value, path)
    for (const method of methods) {
      if (item[method] === undefined) continue
      operations.push(operation(root, { path, method, item }))
    }
  }
  const components = object(root['components'] ?? {}, 'components')
  const schemas = object(components['schemas'] ?? {}, 'components/schemas')
  return {
    operations,
    schemas: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plainSchema(schema)])),
  }
}

function operation(
  root: Schema,
  at: { path: string; method: (typeof methods)[number]; item: Schema },
): OperationDocument {
  const where = `${at.method} ${at.path}`
  const source = object(at.item[at.method], where)
  const body = source['requestBody'] === undefined ? undefined : object(source['requestBody'], where)
  return {
    id: text(source['operationId'], `${where}: the operationId`),
    method: at.method.toUpperCase(),
    path: at.path,
    securitySchemes: list(source['security'] ?? root['security']).flatMap((entry) =>
      Object.keys(object(entry, where)),
    ),
    parameters: [...list(at.item['parameters']), ...list(source['parameters'])].map((entry) => {
      const parameter = resolve(root, object(entry, where))
      return {
        name: text(parameter['name'], `${where}: a parameter's name`),
        in: text(parameter['in'], `${where}: a parameter's place`),
        required: parameter['required'] === true,
        schema: plainSchema(parameter['schema'] ?? {}),
      }
    }),
    body: body && { required: body['required'] === true, content: content(body) },
    responses: new Map(
      Object.entries(object(source['responses'] ?? {}, where)).map(([status, response]) => [
        Number(status),
        content(resolve(root, object(response, where))),
      ]),
    ),
  }
}

function content(holder: Schema): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(object(holder['content'] ?? {}, 'content')).map(([type, media]) => [
      type,
      plainSchema(object(media, type)['schema'] ?? {}),
    ]),
  )
}

function resolve(root: Schema, value: Schema): Schema {
  const reference = value['$ref']
  if (typeof reference !== 'string') return value
  const keys = reference.replace(/^#\//, '').split('/')
  return object(
    keys.reduce<Json | undefined>((at, key) => object(at, reference)[key], root),
    reference,
  )
}

/** `nullable: true` becomes `type: [T, 'null']`; references point into `$defs` of one schema called "contract". */
function plainSchema(source: Json | undefined): Schema {
  return object(convert(source), 'a schema')
}

function convert(source: Json | undefined): Json {
  if (Array.isArray(source)) return source.map(convert)
  if (source === null || typeof source !== 'object') return source ?? null
  const { nullable, ...rest } = source
  const converted = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, convert(value)]))
  if (nullable === true && typeof converted['type'] === 'string')
    converted['type'] = [converted['type'], 'null']
  if (typeof converted['$ref'] === 'string') {
    converted['$ref'] = converted['$ref'].replace('#/components/schemas/', 'contract#/$defs/')
  }
  return converted
}

function object(value: unknown, where: string): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Schema
  throw new Error(`contract: ${where} is not an object`)
}

function text(value: Json | undefined, where: string): string {
  if (typeof value === 'string') return value
  throw new Error(`contract: ${where} is not a string`)
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}
