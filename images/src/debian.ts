// Where Debian packages for the guest come from: WRENN_DEBIAN_MIRROR and WRENN_DEBIAN_SUITE, or the mirrors that this
// machine's own apt uses. Everything is verified with Debian's archive keyring.
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@wrenn/base'

export interface DebianSource {
  suite: string
  /** sources.list lines: the suite, and its security updates where a mirror for them is known. */
  lines: string[]
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const guestSuite = 'bookworm'

export async function debianSource(environment: NodeJS.ProcessEnv): Promise<DebianSource> {
  const suite = environment['WRENN_DEBIAN_SUITE'] || guestSuite
  const configured = environment['WRENN_DEBIAN_MIRROR']
  const mirrors = configured ? { archive: configured, security: undefined } : await machineMirrors()
  if (!mirrors.archive)
    throw new Error(
      'apt of this machine knows no Debian mirror: set WRENN_DEBIAN_MIRROR to one, then run npm start again',
    )
  const line = (mirror: string, name: string): string => `deb [signed-by=${keyring}] ${mirror} ${name} main`
  return {
    suite,
    lines: [
      line(mirrors.archive, suite),
      ...(mirrors.security ? [line(mirrors.security, `${suite}-security`)] : []),
    ],
  }
}

/** What this machine's sources of Debian itself (not of other vendors) point to. Reads no package lists: there may be none. */
async function machineMirrors(): Promise<{ archive: string | undefined; security: string | undefined }> {
  const { stdout } = await run('apt-get', ['update', '--print-uris'])
  const releases = [...stdout.matchAll(/^'(\S+)\/dists\/(\S+)\/InRelease'/gm)]
  const mirror = (release: RegExp): string | undefined =>
    releases.find(([, , name = '']) => release.test(name))?.[1]
  return {
    archive: mirror(/^(bookworm|trixie|oldstable|stable)$/),
    security: mirror(/^(bookworm|trixie|oldstable|stable)-security$/),
  }
}

/** Downloads packages of `source` and unpacks them into `folder`. Nothing is installed, no maintainer script runs. */
export async function unpackPackages(
  source: DebianSource,
  packages: string[],
  folder: string,
): Promise<void> {
  const apt = await isolatedApt(source, folder)
  const downloads = join(folder, 'apt', 'downloads')
  await mkdir(downloads)
  await apt(['download', ...packages], downloads)
  for (const file of (await readdir(downloads)).sort())
    await run('dpkg-deb', ['--extract', join(downloads, file), join(folder, 'root')])
}

/** The package that a metapackage stands for, e.g. linux-image-cloud-amd64 → linux-image-6.1.0-28-cloud-amd64. */
export async function dependencyOf(
  source: DebianSource,
  metapackage: string,
  folder: string,
): Promise<string> {
  const { stdout } = await (await isolatedApt(source, folder))(['show', '--no-all-versions', metapackage])
  const name = /^Depends: .*?(linux-image-\d\S+)/m.exec(stdout)?.[1]
  if (!name) throw new Error(`${metapackage} depends on no kernel package in ${source.suite}`)
  return name
}

type Apt = (args: string[], cwd?: string) => Promise<{ stdout: string }>
const prepared = new Map<string, Promise<Apt>>()

/** apt with its own state and sources, so that the machine's package lists are neither used nor changed. */
function isolatedApt(source: DebianSource, folder: string): Promise<Apt> {
  const existing = prepared.get(folder)
  if (existing) return existing
  const made = (async (): Promise<Apt> => {
    const home = join(folder, 'apt')
    for (const part of ['lists/partial', 'cache/archives/partial', 'etc'])
      await mkdir(join(home, part), { recursive: true })
    await writeFile(join(home, 'etc', 'sources.list'), `${source.lines.join('\n')}\n`)
    await writeFile(join(home, 'status'), '')
    const options = [
      `Dir::State=${home}`,
      `Dir::State::lists=${home}/lists`,
      `Dir::State::status=${home}/status`,
      `Dir::Cache=${home}/cache`,
      `Dir::Etc::sourcelist=${home}/etc/sources.list`,
      'Dir::Etc::sourceparts=/dev/null',
      'Dir::Etc::preferencesparts=/dev/null',
      'APT::Architecture=amd64',
      'APT::Sandbox::User=root',
      'Acquire::Languages=none',
    ].flatMap((option) => ['-o', option])
    const apt: Apt = (args, cwd) =>
      run(args[0] === 'show' ? 'apt-cache' : 'apt-get', [...options, '-q', ...args], {
        timeoutMs: 300_000,
        ...(cwd === undefined ? {} : { cwd }),
      })
    await apt(['update'])
    return apt
  })()
  prepared.set(folder, made)
  return made
}
