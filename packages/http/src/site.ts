// A web app beside a contract's API: files held in memory, found by exact path, so that no path leads to any other file.
// Pages are the paths that the app itself answers: all of them get the app. Used by the control plane for the dashboard.
import type { FastifyReply, FastifyRequest } from 'fastify'

type Encoding = 'br' | 'gzip'

export interface SiteFile {
  /** With content-type and cache-control. */
  headers: Readonly<Record<string, string>>
  /** RFC 9110, section 8.8.3, quotes included. */
  etag: string
  content: Buffer
  /** The same, compressed; what is absent is sent as it is. */
  encoded: Partial<Record<Encoding, Buffer>>
}

export interface SiteOptions {
  /** By path: "/assets/index-1a2b.js". */
  files: ReadonlyMap<string, SiteFile>
  /** The app. Undefined when there is none: `absent` is what its first page says then, in JSON. */
  app: SiteFile | undefined
  /** Its paths: "/sandboxes/$id", where $… stands for one segment. */
  pages: readonly string[]
  /** Paths that are not the app's to explain, even to a browser, and all below them: "/v1". */
  foreign: readonly string[]
  absent?: string
}

const methods = ['GET', 'HEAD']

export class Site {
  readonly #options: SiteOptions
  readonly #pages: RegExp[]

  constructor(options: SiteOptions) {
    this.#options = options
    this.#pages = options.pages.map(pagePattern)
  }

  fileAt(path: string): SiteFile | undefined {
    const { files, app } = this.#options
    return files.get(path) ?? (this.#pages.some((page) => page.test(path)) ? app : undefined)
  }

  methodsOf(path: string): readonly string[] | undefined {
    return this.fileAt(path) ? methods : undefined
  }

  /** The app, which says so, for a browser that goes where nothing is. */
  notFoundPage(path: string): SiteFile | undefined {
    const isForeign = this.#options.foreign.some((each) => path === each || path.startsWith(`${each}/`))
    return isForeign ? undefined : this.#options.app
  }

  whyAbsent(path: string): string | undefined {
    return path === '/' ? this.#options.absent : undefined
  }
}

/** Undefined when the site has nothing to say to this request. */
export function answerFromSite(
  site: Site,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | undefined {
  if (!methods.includes(request.method)) return undefined
  const path = request.url.split('?')[0] ?? ''
  const found = site.fileAt(path)
  const file = found ?? (wantsPage(request) ? site.notFoundPage(path) : undefined)
  if (!file) return undefined
  request.wrenn.op = 'site'
  return sendFile(file, found ? 200 : 404, { request, reply })
}

function sendFile(
  file: SiteFile,
  status: 200 | 404,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
): FastifyReply {
  const { appendHeader } = request.wrenn
  appendHeader('vary', status === 404 ? 'accept, accept-encoding' : 'accept-encoding')
  const encoding = acceptedEncoding(request.headers['accept-encoding'], file)
  // A representation of its own has a tag of its own (RFC 9110, section 8.8.3.3).
  const etag = encoding === undefined ? file.etag : file.etag.replace(/"$/, `-${encoding}"`)
  reply.headers({ ...file.headers, etag })
  if (status === 200 && matches(request.headers['if-none-match'], etag))
    return reply.removeHeader('content-type').code(304).send()
  if (encoding !== undefined) reply.header('content-encoding', encoding)
  return reply.code(status).send(encoding === undefined ? file.content : file.encoded[encoding])
}

/** A browser that opens an address says so; scripts and API clients ask for JSON, or for anything. */
function wantsPage({ headers }: FastifyRequest): boolean {
  return /(^|[\s,])text\/html\b/i.test(headers.accept ?? '')
}

function acceptedEncoding(header: string | string[] | undefined, file: SiteFile): Encoding | undefined {
  const given = String(header ?? '')
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .filter((each) => !/;\s*q=0(\.0*)?$/.test(each))
  const accepted = new Set(given.map((each) => each.split(';')[0]?.trim()))
  return (['br', 'gzip'] as const).find(
    (encoding) => accepted.has(encoding) && file.encoded[encoding] !== undefined,
  )
}

/** RFC 9110, section 13.1.2: weak comparison. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = new Set((ifNoneMatch ?? '').split(',').map((each) => each.trim().replace(/^W\//, '')))
  return tags.has('*') || tags.has(etag)
}

function pagePattern(page: string): RegExp {
  const parts = page.replace(/\/$/, '').split(/\$\w+/)
  return new RegExp(`^${parts.map((part) => RegExp.escape(part)).join('[^/]+')}/?$`)
}
