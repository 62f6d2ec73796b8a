// ajv with our rules: JSON Schema 2020-12, defaults filled in, no type ever coerced. A validator gives the message for
// the caller, or undefined when the value is right.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Json, Schema } from './document.ts'
import { formats } from './formats.ts'
import { validationMessage } from './messages.ts'

/** Undefined when `value` is right; else what is wrong with it, naming the field. Fills in defaults in place. */
export type Validate = (value: unknown) => string | undefined

export class Validators {
  readonly #schemas: Record<string, Schema>
  readonly #requests: Ajv2020
  #answers: Ajv2020 | undefined

  constructor(schemas: Record<string, Schema>) {
    this.#schemas = schemas
    this.#requests = createAjv(schemas)
  }

  request(schema: Schema): Validate {
    return wrap(this.#requests.compile(schema))
  }

  answer(schema: Schema): Validate {
    this.#answers ??= createAjv(closed(this.#schemas) as Record<string, Schema>)
    return wrap(this.#answers.compile(closed(schema) as Schema))
  }
}

function createAjv(schemas: Record<string, Schema>): Ajv2020 {
  const ajv = new Ajv2020({
    useDefaults: true,
    verbose: true,
    strictTypes: true,
    allowUnionTypes: true,
    formats,
    // Against the schema of schemas: contract.test.ts does it, and each start would take a tenth of a second for it.
    validateSchema: false,
  })
  // `x-hint`: what is right, in words, where a pattern says it in signs.
  ajv.addVocabulary(['example', 'x-hint'])
  ajv.addSchema({ $id: 'contract', $defs: schemas })
  return ajv
}

function wrap(validate: ValidateFunction): Validate {
  return (value) => {
    if (validate(value)) return undefined
    const error = validate.errors?.[0]
    return error ? validationMessage(error) : 'is not valid'
  }
}

/** Every object that names its properties allows no others. */
function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed)
  if (schema === null || typeof schema !== 'object') return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return copy['type'] === 'object' && copy['properties'] !== undefined
    ? { additionalProperties: false, ...copy }
    : copy
}
