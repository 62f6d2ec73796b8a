// The dashboard's files, ready to be served, in the cache under the hash of all that they are made from. Called by the
// launcher's set-up and by tests; quick when nothing changed, and several may build at once.
import { join } from 'node:path'
import { cached, run } from '@wrenn/base'

const dashboard = join(import.meta.dirname, '..')
const repository = join(dashboard, '..', '..')
/** A busy machine of two cores takes a tenth of it. */
const buildTimeoutMs = 300_000

const inputs = [
  'apps/dashboard/build',
  'apps/dashboard/public',
  'apps/dashboard/src',
  'apps/dashboard/index.html',
  'apps/dashboard/package.json',
  'apps/dashboard/tsconfig.json',
  'apps/dashboard/vite.config.ts',
  'packages/contract/src',
  'packages/sdk/src',
  'package-lock.json',
  'tsconfig.json',
]

/** Returns the folder for `WRENN_DASHBOARD_DIR`. Throws with what Vite said when it cannot be built. */
export async function buildDashboard(cacheDir: string): Promise<string> {
  const paths = inputs.map((path) => join(repository, path))
  return cached(cacheDir, 'dashboard', { paths, texts: [process.version] }, async (folder) => {
    // A process of its own: its memory goes with it, and a stop ends it.
    const script = join(import.meta.dirname, 'main.ts')
    const env = { ...process.env, NO_COLOR: '1' }
    await run(process.execPath, [script, folder], { timeoutMs: buildTimeoutMs, env })
  })
}
