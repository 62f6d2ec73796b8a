// The dashboard as it is served: paths, caching, compression, headers, and that the API stays what it was beside it.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { createPlatform, type Platform } from '../../../test/support/control-plane.ts'

const page = '<!doctype html><title>The app</title>'
const script = 'console.log("the app")\n'.repeat(20)
const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

interface ErrorAnswer {
  error: { code: string; message: string }
}

describe('the dashboard', () => {
  let folder: string
  let platform: Platform
  let url: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wrenn-dashboard-'))
    const dashboardFolder = join(folder, 'site')
    await mkdir(join(dashboardFolder, 'assets'), { recursive: true })
    await writeFile(join(folder, 'secret.js'), 'outside')
    await writeFile(join(dashboardFolder, 'index.html'), page)
    await writeFile(join(dashboardFolder, 'early.js'), script)
    await writeFile(join(dashboardFolder, 'assets', 'index-1.js'), script)
    await writeFile(join(dashboardFolder, 'assets', 'index-1.js.br'), brotliCompressSync(script))
    await writeFile(join(dashboardFolder, 'assets', 'index-1.js.gz'), gzipSync(script))
    const pages = ['/', '/sandboxes', '/sandboxes/$id/files']
    await writeFile(join(dashboardFolder, 'site.json'), JSON.stringify({ pages }))
    platform = await createPlatform({ dashboardFolder })
    url = platform.api.url
  })

  after(async () => {
    await platform?.remove()
    await rm(folder, { recursive: true })
  })

  it('is the app at each of its pages, to be asked for again each time', async () => {
    for (const path of ['/', '/sandboxes', '/sandboxes/', '/sandboxes/sb-1/files?path=/root', '/?error=x']) {
      const answer = await fetch(url + path)
      assert.equal(answer.status, 200, path)
      assert.equal(await answer.text(), page, path)
      assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
      assert.equal(answer.headers.get('cache-control'), 'no-cache')
      assert.ok(answer.headers.get('x-request-id'))
    }
  })

  it('keeps what is named after its content for a year, and nothing else', async () => {
    const cacheControl = async (path: string): Promise<string | null> =>
      (await fetch(url + path)).headers.get('cache-control')
    assert.equal(await cacheControl('/assets/index-1.js'), 'public, max-age=31536000, immutable')
    assert.equal(await cacheControl('/early.js'), 'no-cache')
  })

  it('answers 304 to who has it already, in the same encoding', async () => {
    for (const encoding of ['br', 'gzip', 'identity']) {
      const headers = { 'accept-encoding': encoding }
      const etag = (await fetch(`${url}/assets/index-1.js`, { headers })).headers.get('etag') ?? ''
      const same = await fetch(`${url}/assets/index-1.js`, {
        headers: { ...headers, 'if-none-match': `"other", W/${etag}` },
      })
      assert.equal(same.status, 304)
      assert.equal(await same.text(), '')
      assert.equal(same.headers.get('etag'), etag)
      const other = await fetch(`${url}/assets/index-1.js`, {
        headers: { 'accept-encoding': encoding === 'br' ? 'gzip' : 'br', 'if-none-match': etag },
      })
      assert.equal(other.status, 200)
    }
  })

  it('sends the compressed file that was made ahead, when it is wanted', async () => {
    const encodingFor = async (accepted: string): Promise<string | null> => {
      const answer = await fetch(`${url}/assets/index-1.js`, { headers: { 'accept-encoding': accepted } })
      assert.equal(await answer.text(), script, accepted)
      assert.match(answer.headers.get('vary') ?? '', /accept-encoding/)
      return answer.headers.get('content-encoding')
    }
    assert.equal(await encodingFor('gzip, deflate, br, zstd'), 'br')
    assert.equal(await encodingFor('gzip;q=0.5'), 'gzip')
    assert.equal(await encodingFor('br;q=0, gzip'), 'gzip')
    assert.equal(await encodingFor('identity'), null)
    assert.equal(await encodingFor('*;q=0, br;q=0.0'), null)
  })

  it('answers HEAD with the headers of GET, and refuses other methods with what it takes', async () => {
    const [get, head] = await Promise.all([fetch(url), fetch(url, { method: 'HEAD' })])
    assert.equal(head.status, 200)
    assert.equal(await head.text(), '')
    for (const name of ['content-length', 'etag', 'content-type', 'content-security-policy'])
      assert.equal(head.headers.get(name), get.headers.get(name), name)
    for (const path of ['/', '/early.js']) {
      const answer = await fetch(url + path, { method: 'POST', body: '{}' })
      assert.equal(answer.status, 405)
      assert.equal(answer.headers.get('allow'), 'GET, HEAD')
      assert.equal(((await answer.json()) as ErrorAnswer).error.code, 'method_not_allowed')
    }
    const options = await fetch(url, { method: 'OPTIONS' })
    assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, HEAD'])
  })

  it('shows a browser the app where nothing is, with 404, and tells everybody else in JSON', async () => {
    const shown = await fetch(`${url}/nothing/here`, { headers: browser })
    assert.deepEqual([shown.status, await shown.text()], [404, page])
    assert.match(shown.headers.get('vary') ?? '', /accept/)
    for (const accept of ['*/*', 'application/json', 'text/htmlx'])
      assert.equal((await refusal('/nothing/here', { accept })).code, 'not_found')
    const posted = await fetch(`${url}/nothing/here`, { method: 'POST', headers: browser })
    assert.equal(posted.status, 404)
    assert.match(posted.headers.get('content-type') ?? '', /json/)
  })

  it('is nowhere where the API is, not even for a browser', async () => {
    for (const path of ['/v1', '/v1/nothing', '/health/x', '/docs/nothing.js', '/openapi.yaml/x'])
      assert.equal((await refusal(path, browser)).code, 'not_found', path)
    const wrongMethod = await fetch(`${url}/v1/sandboxes`, { method: 'PUT', headers: browser })
    assert.equal(wrongMethod.status, 405)
    await platform.api.refused('unauthorized', 'listSandboxes', { headers: browser })
    await platform.api.expect(200, 'getDocs', { headers: browser })
    await platform.api.expect(200, 'health', { headers: browser })
  })

  it('lets a browser load from here only, run no inline script and frame nothing', async () => {
    for (const path of ['/', '/assets/index-1.js', '/nothing']) {
      const { headers } = await fetch(url + path, { headers: browser })
      const policy = headers.get('content-security-policy') ?? ''
      assert.deepEqual(policy.split('; ').slice(0, 3), [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
      ])
      assert.match(policy, /frame-ancestors 'none'/)
      assert.doesNotMatch(policy, /unsafe|https?:|\*/)
      assert.equal(headers.get('referrer-policy'), 'no-referrer')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin')
      assert.match(headers.get('permissions-policy') ?? '', /camera=\(\)/)
    }
  })

  it('serves no other file, however its path is written', async () => {
    for (const path of [
      '/site.json',
      '/index.html',
      '/assets/index-1.js.br',
      '/assets',
      '/assets/',
      '/assets/../early.js',
      '/../secret.js',
      '/assets/../../secret.js',
      '/assets/%2e%2e/%2e%2e/secret.js',
      '/..%2fsecret.js',
      '/assets\\..\\..\\secret.js',
      '//etc/passwd',
      '/early.js%00',
      '/early.js/',
    ]) {
      const answer = await rawGet(path)
      assert.match(answer, /^HTTP\/1\.1 404 /, path)
      assert.ok(!answer.includes('outside'), path)
    }
  })

  it('is absent without its folder, and says so', async () => {
    const bare = await platform.another({ dashboardFolder: undefined })
    const answer = await fetch(bare.url, { headers: browser })
    assert.equal(answer.status, 404)
    const { error } = (await answer.json()) as ErrorAnswer
    assert.equal(error.code, 'not_found')
    assert.match(error.message, /no dashboard.*WRENN_DASHBOARD_DIR/)
    const other = await fetch(`${bare.url}/sandboxes`, { headers: browser })
    assert.match(((await other.json()) as ErrorAnswer).error.message, /^There is no GET \/sandboxes$/)
  })

  it('does not start with a folder that its build did not make', async () => {
    await assert.rejects(platform.another({ dashboardFolder: folder }), /site\.json/)
  })

  async function refusal(path: string, headers: Record<string, string>): Promise<ErrorAnswer['error']> {
    const answer = await fetch(url + path, { headers })
    assert.equal(answer.status, 404, path)
    return ((await answer.json()) as ErrorAnswer).error
  }

  /** fetch tidies paths up before it sends them. */
  async function rawGet(path: string): Promise<string> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.end(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n\r\n`)
    return text(socket)
  }
})
