// `npm run build --workspace @wrenn/sdk [-- FOLDER]`: the package as it is published, in packages/sdk/dist when no folder
// is named: JavaScript and declarations without anything of this repository around them. In the workspace the sources
// are used as they are.
import { spawnSync } from 'node:child_process'
import { copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const sdk = import.meta.dirname
const root = join(sdk, '..', '..')
const target = resolve(process.argv[2] ?? join(sdk, 'dist'))

rmSync(target, { recursive: true, force: true })
const options = ['--noEmit', 'false', '--declaration', '--rewriteRelativeImportExtensions']
const folders = ['--rootDir', join(root, 'packages'), '--outDir', target]
const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', sdk, ...options, ...folders],
  { stdio: 'inherit' },
)
if (status !== 0) process.exit(1)

// The option rewrites imports in JavaScript only.
for (const file of globSync('**/*.d.ts', { cwd: target })) {
  const text = readFileSync(join(target, file), 'utf8')
  writeFileSync(join(target, file), text.replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"))
}
const { name, version, description, license, type, sideEffects } = JSON.parse(
  readFileSync(join(sdk, 'package.json'), 'utf8'),
) as Record<string, unknown>
const published = {
  ...{ name, version, description, license, type, sideEffects },
  engines: { node: '>=20' },
  exports: { types: './sdk/src/index.d.ts', default: './sdk/src/index.js' },
}
writeFileSync(join(target, 'package.json'), `${JSON.stringify(published, undefined, 2)}\n`)
copyFileSync(join(sdk, 'README.md'), join(target, 'README.md'))
copyFileSync(join(root, 'LICENSE'), join(target, 'LICENSE'))
