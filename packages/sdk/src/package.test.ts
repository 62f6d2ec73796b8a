// The package as it is published: complete in itself, and its README and types hold for a user's project.
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { readFile, symlink, writeFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { run } from '@wrenn/base'
import { buildSdk, readmeCode, type BuiltSdk } from '../../../test/support/built-sdk.ts'

const modules = join(import.meta.dirname, '..', '..', '..', 'node_modules')
const tsc = join(modules, 'typescript', 'bin', 'tsc')

describe('the published package', () => {
  let built: BuiltSdk

  before(async () => {
    built = await buildSdk()
  })

  after(() => built?.remove())

  it('imports nothing but itself, and has no dependencies', async () => {
    const files = globSync('**/*.{js,d.ts}', { cwd: built.packageFolder })
    assert.ok(files.includes(join('sdk', 'src', 'index.js')))
    for (const file of files) {
      const text = await readFile(join(built.packageFolder, file), 'utf8')
      for (const [, name = ''] of text.matchAll(/^(?:import|export) .*from '([^']+)'/gm)) {
        assert.match(name, /^\.{1,2}\/.*\.js$/, file)
        const imported = join(file, '..', name)
        assert.ok(
          files.includes(imported) && files.includes(imported.replace(/js$/, 'd.ts')),
          `${file}: ${name}`,
        )
      }
    }
    const { dependencies, exports } = JSON.parse(
      await readFile(join(built.packageFolder, 'package.json'), 'utf8'),
    ) as { dependencies?: object; exports: Record<string, string> }
    assert.equal(dependencies, undefined)
    for (const file of Object.values(exports)) assert.ok(files.includes(file.slice(2)), file)
  })

  it('has types that hold in a browser, without those of Node and without skipLibCheck', async () => {
    const code = `
      import { Wrenn, type Sandbox } from '@wrenn/sdk'
      const { sandboxes } = new Wrenn({ baseUrl: location.origin, token: 't' })
      const sandbox: Sandbox = await sandboxes.create({ vcpus: 2 })
      for await (const event of sandboxes.execStream(sandbox.id, { cmd: 'sh', encoding: 'base64' }))
        if (event.type === 'stdout') event.data satisfies Uint8Array
        else if (event.type === 'exit') event.exit_code satisfies number
      const file = document.querySelector('input')?.files?.[0]
      if (file) await sandboxes.files.writeStream(sandbox.id, '/root/a', file)
      // @ts-expect-error: there is no such field
      await sandboxes.create({ colour: 'red' })
      // @ts-expect-error: cmd is missing
      await sandboxes.exec(sandbox.id, { args: [] })
    `
    await check('browser.ts', code, ['--lib', 'es2022,dom,dom.asynciterable', '--types', ''])
  })

  it('has a README whose code compiles', async () => {
    const blocks = await readmeCode()
    assert.equal(blocks.length, 5)
    await mkdir(join(built.folder, 'node_modules', '@types'))
    for (const name of ['@types/node', '@types/ws', 'ws', 'undici-types'])
      await symlink(join(modules, name), join(built.folder, 'node_modules', name))
    await check('readme.ts', blocks.join('\n'), ['--lib', 'es2022', '--types', 'node', '--skipLibCheck'])
  })

  async function check(file: string, source: string, options: string[]): Promise<void> {
    await writeFile(join(built.folder, 'package.json'), '{ "type": "module" }')
    await writeFile(join(built.folder, file), source)
    const strict = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--noEmit',
      '--module',
      'nodenext',
      '--target',
      'es2022',
    ]
    let said = ''
    const how = { cwd: built.folder, timeoutMs: 120_000, onOutput: (text: string) => void (said += text) }
    const code = await run(process.execPath, [tsc, ...strict, ...options, file], how).then(
      () => 0,
      () => 1,
    )
    assert.equal(code, 0, said)
  }
})
