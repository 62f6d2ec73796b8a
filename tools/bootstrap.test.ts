// The bootstrap with stand-ins for dpkg and apt in its PATH: nothing is installed here.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'

const repository = join(import.meta.dirname, '..')

describe('the bootstrap', () => {
  let folder: string

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wrenn bootstrap '))
    chmodSync(folder, 0o755)
    copyManifests()
    // dpkg knows packages that are not installed, too, once another one has named them.
    standIn(
      'dpkg-query',
      'for name; do echo "|installed $name|"; done | sed -E "s/installed (cpio|chromium)/not-&/"',
    )
    standIn('dpkg', 'exit 0')
    standIn(
      'apt-get',
      `echo "$@" >> '${folder}/calls'; case "$*" in *install*) echo 'E: no'; exit 100;; esac`,
    )
  })

  after(() => {
    rmSync(folder, { recursive: true })
  })

  /** A checkout that other users can read, too. */
  function copyManifests(): void {
    const manifests = globSync(
      [
        'tools/bootstrap.sh',
        'package*.json',
        '{packages,apps}/*/package.json',
        '{images,test,tools/codegen}/package.json',
      ],
      {
        cwd: repository,
      },
    )
    for (const path of manifests) {
      mkdirSync(join(folder, 'copy', dirname(path)), { recursive: true })
      cpSync(join(repository, path), join(folder, 'copy', path))
    }
  }

  function standIn(name: string, script: string): void {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }

  function bootstrap(command: string[] = [], script = 'none.ts'): { status: number | null; output: string } {
    const args = [...command, 'sh', join(folder, 'copy/tools/bootstrap.sh'), script]
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` }
    const { status, stdout, stderr } = spawnSync('env', args, { encoding: 'utf8', env })
    return { status, output: stdout + stderr }
  }

  it('installs the packages that are missing and no others, and says what to run when that fails', () => {
    const { status, output } = bootstrap()
    assert.equal(status, 1)
    assert.match(output, /^packages: installing cpio \nE: no\n/)
    assert.match(
      output,
      /Run: apt-get update && apt-get install --no-install-recommends cpio \nand then npm start again/,
    )
    const calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')
    assert.match(calls[0] ?? '', / update$/)
    assert.match(calls[1] ?? '', /DPkg::Lock::Timeout=120.* install --no-install-recommends cpio$/)
    assert.equal(calls.length, 2)
  })

  it('installs a browser for the tests only', () => {
    assert.match(bootstrap([], 'tools/test.ts').output, /^packages: installing cpio chromium \n/)
    assert.match(bootstrap([], 'apps/launcher/src/main.ts').output, /^packages: installing cpio \n/)
  })

  it('asks for root only when there is something to install', () => {
    const { status, output } = bootstrap(['setpriv', '--reuid=65534', '--clear-groups'])
    assert.equal(status, 1)
    assert.equal(
      output,
      'These Debian packages are missing: cpio \nInstalling them takes root. Run: sudo npm start\n',
    )
  })

  it('has a lockfile that npm ci accepts', () => {
    const { status, stderr } = spawnSync('npm', ['ci', '--dry-run', '--ignore-scripts', '--offline'], {
      cwd: join(folder, 'copy'),
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
  })
})
