// The dashboard as this server sends it: the folder that its build made (apps/dashboard/build), read once at the start,
// and what browsers may do with it. Without a folder there is none, and `/` says so.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative } from 'node:path'
import { isErrno } from '@wrenn/base'
import type { Contract } from '@wrenn/contract'
import { Site, type SiteFile } from '@wrenn/http'
import { z } from 'zod'

/** What the build says about itself. */
const manifest = z.object({ pages: z.array(z.string()) })
const manifestFile = 'site.json'
const appFile = 'index.html'

/** Everything comes from this server. There is no inline script or style (docs/adr/0010). */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** For every file: what a browser opens directly is a document, whatever it was meant to be. */
const protection = {
  'content-security-policy': policy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

const absent =
  'There is no dashboard here: this control plane was started without WRENN_DASHBOARD_DIR. The API is at /v1, its reference at /docs'

/** Throws when the folder is not one that the build made. */
export async function loadDashboard(folder: string | undefined, contract: Contract): Promise<Site> {
  const foreign = [...contract.operations.values()].map(({ path }) => `/${path.split('/')[1]}`)
  const options = { foreign: [...new Set(foreign)], absent }
  if (folder === undefined) return new Site({ ...options, files: new Map(), app: undefined, pages: [] })
  const { pages } = manifest.parse(JSON.parse(await readFile(join(folder, manifestFile), 'utf8')))
  const files = new Map<string, SiteFile>()
  for (const name of await filesBelow(folder)) files.set(`/${name}`, await load(folder, name))
  const app = files.get(`/${appFile}`)
  if (!app) throw new Error(`${folder} has no ${appFile}`)
  // It has one address for each page, and none of its own.
  files.delete(`/${appFile}`)
  return new Site({ ...options, files, app, pages })
}

async function load(folder: string, name: string): Promise<SiteFile> {
  const type = contentTypes[extname(name)]
  if (type === undefined) throw new Error(`${join(folder, name)}: which content type?`)
  const [content, br, gzip] = await Promise.all([
    readFile(join(folder, name)),
    readIfThere(join(folder, `${name}.br`)),
    readIfThere(join(folder, `${name}.gz`)),
  ])
  // Vite names what lies there after its content.
  const cacheControl = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
  return {
    headers: { ...protection, 'content-type': type, 'cache-control': cacheControl },
    etag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`,
    content,
    encoded: { ...(br ? { br } : {}), ...(gzip ? { gzip } : {}) },
  }
}

/** Without those that are another one compressed, and the build's own. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .filter((name) => name !== manifestFile && !/\.(br|gz)$/.test(name))
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
