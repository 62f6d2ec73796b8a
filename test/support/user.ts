// A user of a platform: an account with an API key. Every answer is checked against the public contract.
import { randomUUID } from 'node:crypto'
import assert from 'node:assert/strict'
import { answerProblem, publicContract, type PublicSchemas } from '@wrenn/contract'

export interface Answer<Body = unknown> {
  status: number
  body: Body
  headers: Headers
}

type Method = 'GET' | 'POST' | 'DELETE'
type Sandbox = PublicSchemas['Sandbox']
type ExecRequest = Partial<PublicSchemas['ExecRequest']>

const contract = publicContract()

export class User {
  readonly url: string
  readonly token: string
  readonly key: string

  private constructor(url: string, credentials: { token: string; key: string }) {
    this.url = url
    this.token = credentials.token
    this.key = credentials.key
  }

  static async signUp(url: string): Promise<User> {
    const post = (operation: string, path: string, body: object, headers = {}): Promise<Answer> =>
      request(operation, `${url}${path}`, { method: 'POST', body, headers })
    const account = { email: `${randomUUID()}@example.com`, password: 'correct horse' }
    const { token } = (await post('signup', '/v1/auth/signup', account)).body as { token: string }
    const bearer = { authorization: `Bearer ${token}` }
    const { key } = (await post('createAPIKey', '/v1/api-keys', {}, bearer)).body as { key: string }
    return new User(url, { token, key })
  }

  /** The same user of a platform that has moved. */
  at(url: string): User {
    return new User(url, this)
  }

  call(operation: string, method: Method, path: string, body?: unknown): Promise<Answer> {
    return request(operation, `${this.url}${path}`, { method, body, headers: { 'x-api-key': this.key } })
  }

  /** Asserts 201. */
  async create(body: object = {}): Promise<Required<Pick<Sandbox, 'id'>> & Sandbox> {
    const answer = await this.call('createSandbox', 'POST', '/v1/sandboxes', body)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body as Required<Pick<Sandbox, 'id'>> & Sandbox
  }

  async destroy(id: string): Promise<void> {
    assert.equal((await this.call('destroySandbox', 'DELETE', `/v1/sandboxes/${id}`)).status, 204)
  }

  async list(): Promise<Sandbox[]> {
    return (await this.call('listSandboxes', 'GET', '/v1/sandboxes')).body as Sandbox[]
  }

  exec(id: string, body: ExecRequest): Promise<Answer> {
    return this.call('execCommand', 'POST', `/v1/sandboxes/${id}/exec`, body)
  }

  /** Asserts 200 and returns the result. */
  async run(id: string, body: ExecRequest): Promise<PublicSchemas['ExecResponse']> {
    const answer = await this.exec(id, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body as PublicSchemas['ExecResponse']
  }

  /** stdout of a shell line that must succeed, however slow the machine is. */
  async sh(id: string, line: string): Promise<string> {
    const result = await this.run(id, { cmd: 'sh', args: ['-c', line], timeout_sec: 120 })
    assert.equal(result.exit_code, 0, `${line}: ${result.stderr}`)
    return (result.stdout ?? '').trim()
  }
}

async function request(
  operation: string,
  url: string,
  options: { method: Method; body?: unknown; headers: Record<string, string> },
): Promise<Answer> {
  const { method, body, headers } = options
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const parsed: unknown = text === '' ? undefined : JSON.parse(text)
  const contentType = response.headers.get('content-type')
  const problem = answerProblem(contract, operation, { status: response.status, contentType, body: parsed })
  assert.equal(problem, undefined, problem)
  return { status: response.status, body: parsed, headers: response.headers }
}
