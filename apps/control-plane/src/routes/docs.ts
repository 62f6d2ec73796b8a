// GET /docs: an interactive reference of the contract that is served (Swagger UI). Everything comes from this server, and
// the page's policy lets it load from nowhere else.
import { readFile } from 'node:fs/promises'
import { AppError } from '@wrenn/base'
import type { PublicHandlers } from './handlers.ts'

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wrenn Sandbox API</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

// Requests that are tried out go to this server, whatever the contract names as its servers. No validator: it would send
// the contract elsewhere.
const start = `SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#reference',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const { pathname, search } = new URL(request.url, location.href)
    request.url = location.origin + pathname + search
    return request
  },
})
`

// Swagger UI sets style attributes, and has its icons in data URLs.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const headers = { 'content-security-policy': policy, 'x-content-type-options': 'nosniff' }

export function docsHandlers(): Pick<PublicHandlers, 'getDocs' | 'getDocsFile'> {
  return {
    getDocs: async () => ({ status: 200, contentType: 'text/html', headers, body: page }),
    getDocsFile: async ({ params }) => {
      switch (params.file) {
        case 'start.js':
          return { status: 200, contentType: 'text/javascript', headers, body: start }
        case 'swagger-ui-bundle.js':
          return { status: 200, contentType: 'text/javascript', headers: kept, body: await read(script()) }
        case 'swagger-ui.css':
          return { status: 200, contentType: 'text/css', headers: kept, body: await read(style()) }
        default:
          throw new AppError('not_found', 'There is no such file')
      }
    },
  }
}

/** They change with an upgrade only. */
const kept = { ...headers, 'cache-control': 'public, max-age=3600' }

const script = (): string => import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js')
const style = (): string => import.meta.resolve('swagger-ui-dist/swagger-ui.css')

function read(url: string): Promise<Buffer> {
  return readFile(new URL(url))
}
