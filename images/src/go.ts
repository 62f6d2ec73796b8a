// Static Go programs of ours: envd for the guest, hostkit for the host agent. Standard library only, so that no module is
// downloaded; built without paths and build ids, so that the same source and compiler give the same bytes.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@wrenn/base'
import { cached } from './cache.ts'

/** Returns the path of the binary built from the Go module in `source`. */
export async function buildGo(cacheDir: string, name: string, source: string): Promise<string> {
  const { stdout: version } = await run('go', ['version'])
  const files = (await readdir(source, { recursive: true })).filter((file) => /\.go$|^go\.mod$/.test(file))
  const paths = files
    .filter((file) => !file.endsWith('_test.go'))
    .sort()
    .map((file) => join(source, file))
  const folder = await cached(cacheDir, name, { texts: [version], paths }, async (target) => {
    await run('go', ['build', '-trimpath', '-ldflags=-s -w -buildid=', '-o', join(target, name), '.'], {
      cwd: source,
      timeoutMs: 300_000,
      env: {
        ...process.env,
        CGO_ENABLED: '0',
        GOTOOLCHAIN: 'local',
        GOFLAGS: '-mod=mod',
        GOPROXY: 'off',
        GOCACHE: join(cacheDir, 'go-build'),
      },
    })
  })
  return join(folder, name)
}
