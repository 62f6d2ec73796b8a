// Against a real server that misbehaves.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { errorText } from '@wrenn/base'
import { createProviderFetch } from './http.ts'

describe("a provider's call", () => {
  let server: Server
  let url: string
  const paths: string[] = []
  const answers: Record<string, RequestListener> = {
    '/ok': (request, response) => {
      response.writeHead(201, { 'x-method': request.method }).end('content')
    },
    '/empty': (_request, response) => {
      response.writeHead(204).end()
    },
    '/redirect': (_request, response) => {
      response.writeHead(302, { location: '/ok' }).end()
    },
    '/silent': () => undefined,
    '/trickle': (_request, response) => {
      response.write('a')
    },
    '/large': (_request, response) => {
      response.end('x'.repeat(1_001))
    },
    '/bomb': (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(1_001)))
    },
    '/endless': (_request, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    },
  }

  before(async () => {
    server = createServer((request, response) => {
      paths.push(request.url ?? '')
      answers[request.url ?? '']?.(request, response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  after(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })

  const call = createProviderFetch({ deadlineMs: 10_000, maxAnswerBytes: 1_000 })

  async function failureOf(path: string, limits = { deadlineMs: 10_000, maxAnswerBytes: 1_000 }) {
    const error: unknown = await createProviderFetch(limits)(url + path).then(
      () => assert.fail('it was answered'),
      (error: unknown) => error,
    )
    return errorText(error)
  }

  it('gives status, headers and body', async () => {
    const answer = await call(`${url}/ok`, { method: 'POST', body: 'x' })
    assert.equal(answer.status, 201)
    assert.equal(answer.headers.get('x-method'), 'POST')
    assert.equal(await answer.text(), 'content')
    assert.equal((await call(`${url}/empty`)).status, 204)
  })

  it('does not follow a redirect', async () => {
    paths.length = 0
    assert.match(await failureOf('/redirect'), /redirect \(302\) is not followed$/)
    assert.deepEqual(paths, ['/redirect'])
  })

  it('has a deadline for the answer, and for its end', async () => {
    const limits = { deadlineMs: 100, maxAnswerBytes: 1_000 }
    for (const path of ['/silent', '/trickle'])
      assert.match(await failureOf(path, limits), /did not answer within 100 ms/)
  })

  it('reads no more than its bound, also of what is compressed or never ends', async () => {
    for (const path of ['/large', '/bomb', '/endless'])
      assert.match(await failureOf(path), /its answer has more than 1000 bytes$/)
  })

  it('names the failure when nobody answers', async () => {
    await assert.rejects(call('http://127.0.0.1:2/token?code=secret'), (error) => {
      assert.match(errorText(error), /^the call to http:\/\/127\.0\.0\.1:2\/token failed: .*ECONNREFUSED/)
      return !errorText(error).includes('secret')
    })
  })

  it('goes out by https, or by http to this machine, and in no other way', async () => {
    for (const other of [
      'http://example.com/',
      'http://127.0.0.1.example.com/',
      'ftp://127.0.0.1/',
      'data:,x',
    ])
      await assert.rejects(call(other), /is not called: it is not https$/)
  })
})
