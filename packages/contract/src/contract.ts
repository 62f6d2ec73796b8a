// A contract, ready to be served or called: its operations with compiled validators. Schemas of requests are compiled at
// once, so that a mistake in the YAML stops the start; those of answers when first needed (tests only).
import { readFileSync } from 'node:fs'
import { parseDocument, type OperationDocument, type Schema } from './document.ts'
import { withProviders } from './provider-enum.ts'
import { readQuery } from './query.ts'
import { Validators, type Validate } from './validators.ts'
import type { AnyApi, HostAgentApi, PublicApi } from './api.ts'

export interface Operation extends OperationDocument {
  /** Checks and completes (defaults) each part of a request. Each gives a message, or undefined. */
  validate: {
    params: Validate
    query: Validate
    headers: Validate
    cookies: Validate
    body: Validate | undefined
  }
  /** Checks an answer's body. Stricter than the schema: fields that the contract does not name are refused. */
  validateAnswer: (status: number, contentType: string) => Validate | undefined
}

export interface Contract<Api extends AnyApi = AnyApi> {
  /** The YAML as written. */
  text: string
  operations: ReadonlyMap<string, Operation>
  /** Checks and completes a value against a schema of components/schemas: what no operation carries. */
  validator: (schemaName: string) => Validate
  /** Only for inference: there is no such value. */
  readonly api?: Api
}

const compiled = new Map<string, Contract>()

/** As `loadContract`, once for the same text. */
function loadOnce<Api extends AnyApi>(yaml: string): Contract<Api> {
  const contract = compiled.get(yaml) ?? loadContract(yaml)
  compiled.set(yaml, contract)
  return contract as Contract<Api>
}

/** Compiles a contract from its YAML. `Api` is the generated type that belongs to it. */
export function loadContract<Api extends AnyApi>(yaml: string): Contract<Api> {
  const document = parseDocument(yaml)
  const validators = new Validators(document.schemas)
  const operations = new Map(
    document.operations.map((operation) => [operation.id, compile(operation, validators)]),
  )
  if (operations.size !== document.operations.length) throw new Error('contract: an operationId occurs twice')
  return {
    text: yaml,
    operations,
    validator: (name) => validators.request({ $ref: `contract#/$defs/${name}` }),
  }
}

/** What the control plane serves. `oauthProviders`: those that it knows; as in the YAML when left out. */
export function publicContract({ oauthProviders }: { oauthProviders?: string[] } = {}): Contract<PublicApi> {
  const yaml = readContract('public')
  return loadOnce(oauthProviders ? withProviders(yaml, oauthProviders) : yaml)
}

/** What the host agent serves to the control plane. */
export function hostAgentContract(): Contract<HostAgentApi> {
  return loadOnce(readContract('host-agent'))
}

function readContract(name: string): string {
  return readFileSync(new URL(`../../../contracts/${name}.yaml`, import.meta.url), 'utf8')
}

function compile(operation: OperationDocument, validators: Validators): Operation {
  const bodySchema = operation.body?.content['application/json']
  const answers = new Map<Schema, Validate>()
  return {
    ...operation,
    validate: {
      params: validators.request(parametersSchema(operation, 'path')),
      query: queryValidator(operation, validators),
      headers: validators.request(parametersSchema(operation, 'header')),
      cookies: validators.request(parametersSchema(operation, 'cookie')),
      body: bodySchema && validators.request(bodySchema),
    },
    validateAnswer: (status, contentType) => {
      const schema = operation.responses.get(status)?.[contentType]
      if (!schema) return undefined
      const validate = answers.get(schema) ?? validators.answer(schema)
      answers.set(schema, validate)
      return validate
    },
  }
}

function queryValidator(operation: OperationDocument, validators: Validators): Validate {
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'query')
  const validate = validators.request(parametersSchema(operation, 'query'))
  return (query) => {
    readQuery(parameters, query as Record<string, unknown>)
    return validate(query)
  }
}

/**
 * Parameters of one kind as an object. Open: unknown query parameters are ignored. A path whose segment is none of an
 * enum's is not there: that is for the handler to say, with 404.
 */
function parametersSchema(operation: OperationDocument, kind: string): Schema {
  const parameters = operation.parameters.filter((parameter) => parameter.in === kind)
  return {
    type: 'object',
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(
      parameters.map(({ name, schema: { enum: values, ...schema } }) => [
        name,
        values === undefined || kind === 'path' ? schema : { enum: values, ...schema },
      ]),
    ),
  }
}
