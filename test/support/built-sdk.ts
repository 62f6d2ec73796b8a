// @wrenn/sdk as users have it: built, in the node_modules of a folder of its own outside of this repository.
import { mkdtemp, mkdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '@wrenn/base'

const sdk = join(import.meta.dirname, '..', '..', 'packages', 'sdk')

export interface BuiltSdk {
  /** A user's project. */
  folder: string
  /** Where the package lies in it. */
  packageFolder: string
  remove(): Promise<void>
}

export async function buildSdk(): Promise<BuiltSdk> {
  const folder = await mkdtemp(join(tmpdir(), 'wrenn-sdk-'))
  const packageFolder = join(folder, 'node_modules', '@wrenn', 'sdk')
  await mkdir(packageFolder, { recursive: true })
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await run(process.execPath, [join(sdk, 'build.ts'), packageFolder], { timeoutMs: 120_000 })
    return { folder, packageFolder, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** The TypeScript in the package's README, block by block. */
export async function readmeCode(): Promise<string[]> {
  const text = await readFile(join(sdk, 'README.md'), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code ?? '')
}
