// `node build/main.ts FOLDER`: the whole build. Vite's output, each file compressed beside itself, and `site.json`, which
// tells the control plane which paths are pages. Fails when the first load has become too large.
import { globSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { build } from 'vite'
import { pages } from '../src/paths.ts'
import { assertSmall, firstLoad } from './first-load.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: node build/main.ts FOLDER')

await build({
  root: join(import.meta.dirname, '..'),
  mode: 'production',
  logLevel: 'warn',
  build: { outDir: folder, emptyOutDir: true },
})
assertSmall(await firstLoad(folder))
await rm(join(folder, '.vite'), { recursive: true })
const names = globSync('**/*.{css,html,js,svg}', { cwd: folder })
await Promise.all(names.map((name) => compress(join(folder, name))))
await writeFile(join(folder, 'site.json'), JSON.stringify({ pages }))

/** Only where it is worth it: a header more and a response less to keep. */
async function compress(path: string): Promise<void> {
  const content = await readFile(path)
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(content, options),
    promisify(gzip)(content, { level: 9 }),
  ])
  if (br.length < content.length) await writeFile(`${path}.br`, br)
  if (gz.length < content.length) await writeFile(`${path}.gz`, gz)
}
