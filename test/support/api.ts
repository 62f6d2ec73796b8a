// Calls the public API over HTTP and holds every answer against the contract: status, content type, body, request id.
import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import {
  answerProblem,
  publicContract,
  type Body,
  type Operation,
  type OperationId,
  type PublicApi,
  type PublicSchemas,
} from '@wrenn/contract'

const contract = publicContract()

export interface ApiAnswer<T = unknown> {
  status: number
  headers: Headers
  body: T
}

export type Credentials = { apiKey: string } | { token: string } | undefined

export interface ApiCall {
  as?: Credentials
  params?: Record<string, string>
  /** As in the URL, without "?". */
  query?: string
  /** Sent as JSON; a FormData as it is. */
  body?: unknown
  /** With `upgrade` the answer to that is what comes back. */
  headers?: Record<string, string>
  signal?: AbortSignal
}

export interface Account {
  token: string
  userId: string
  teamId: string
  email: string
  apiKey: string
}

export class Api {
  readonly url: string

  constructor(url: string) {
    this.url = url
  }

  /** Sends whatever it is given. Fails when the answer breaks the contract. */
  async call<T = unknown>(id: OperationId<PublicApi>, call: ApiCall = {}): Promise<ApiAnswer<T>> {
    const operation = contract.operations.get(id)
    assert.ok(operation)
    const query = call.query === undefined ? '' : `?${call.query}`
    const url = this.url + pathOf(operation, call.params) + query
    const { status, headers, text } = call.headers?.['upgrade']
      ? await upgrade(url, { ...credentialHeaders(call.as), ...call.headers })
      : await send(url, operation.method, call)
    const contentType = headers.get('content-type')
    const body: unknown = contentType?.startsWith('application/json') ? JSON.parse(text) : text
    assert.equal(answerProblem(contract, id, { status, contentType, body }), undefined, text)
    assert.ok(headers.get('x-request-id'), `${id}: x-request-id`)
    return { status, headers, body: body as T }
  }

  /** As `call`, for an answer of `status`; returns its body. */
  async expect<T = unknown>(status: number, id: OperationId<PublicApi>, call: ApiCall = {}): Promise<T> {
    const answer = await this.call<T>(id, call)
    assert.equal(answer.status, status, JSON.stringify(answer.body))
    return answer.body
  }

  /** Expects an error of this code; returns its message. */
  async refused(code: string, id: OperationId<PublicApi>, call: ApiCall = {}): Promise<string> {
    const { status, body } = await this.call<PublicSchemas['Error']>(id, call)
    assert.equal(body.error?.code, code, `${status} ${JSON.stringify(body)}`)
    return body.error.message
  }

  /** Signs up somebody new, with an API key. */
  async account(email = `u${Math.random().toString(36).slice(2)}@example.com`): Promise<Account> {
    const body = { email, password: 'correct horse' }
    const session = await this.expect<PublicSchemas['AuthResponse']>(201, 'signup', { body })
    const { key } = await this.expect<{ key: string }>(201, 'createAPIKey', { as: session, body: {} })
    const { token, user_id: userId, team_id: teamId } = session
    return { token, userId, teamId, email: session.email, apiKey: key }
  }

  async create(
    as: Credentials,
    body: Partial<Body<PublicApi['operations']['createSandbox']>> = {},
  ): Promise<PublicSchemas['Sandbox']> {
    return this.expect(201, 'createSandbox', { as, body })
  }

  async list(as: Credentials): Promise<PublicSchemas['Sandbox'][]> {
    return this.expect(200, 'listSandboxes', { as })
  }

  async get(as: Credentials, id: string): Promise<PublicSchemas['Sandbox']> {
    return this.expect(200, 'getSandbox', { as, params: { id } })
  }
}

interface RawAnswer {
  status: number
  headers: Headers
  text: string
}

async function send(url: string, method: string, { body, as, headers, signal }: ApiCall): Promise<RawAnswer> {
  const isJson = body !== undefined && !(body instanceof FormData)
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...credentialHeaders(as),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
    ...(signal ? { signal } : {}),
  })
  return { status: response.status, headers: response.headers, text: await textOf(response) }
}

/** The body. A stream of events lasts, and is left at once. */
export async function textOf(response: Response): Promise<string> {
  if (response.headers.get('content-type') !== 'text/event-stream') return response.text()
  await response.body?.cancel()
  return ''
}

/** What fetch cannot ask for. A WebSocket that is accepted is closed at once. */
function upgrade(url: string, headers: Record<string, string>): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const answered = (answer: IncomingMessage, text: string): void =>
      resolve({
        status: answer.statusCode ?? 0,
        headers: new Headers(answer.headers as Record<string, string>),
        text,
      })
    const call = request(url, { headers, agent: false })
    call.on('error', reject)
    call.on('upgrade', (answer, socket) => {
      socket.destroy()
      answered(answer, '')
    })
    call.on('response', (answer) => void text(answer).then((body) => answered(answer, body), reject))
    call.end()
  })
}

function pathOf(operation: Operation, params: Record<string, string> = {}): string {
  return operation.path.replaceAll(/\{(\w+)\}/g, (_match, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  )
}

function credentialHeaders(as: Credentials): Record<string, string> {
  if (!as) return {}
  return 'apiKey' in as ? { 'x-api-key': as.apiKey } : { authorization: `Bearer ${as.token}` }
}
