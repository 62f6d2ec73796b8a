// Static Go programs of ours: envd for the guest, hostkit for the host agent. Standard library only, so that no module is
// downloaded.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cached, run } from '@wrenn/base'

/** No paths, build ids or commits: the same source and compiler give the same bytes, whose hash names goldens. */
const reproducible = ['-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid=']

/** Returns the path of the binary built from the Go module in `source`. */
export async function buildGo(cacheDir: string, name: string, source: string): Promise<string> {
  const { stdout: version } = await run('go', ['version'])
  const files = (await readdir(source, { recursive: true })).filter((file) => /\.go$|^go\.mod$/.test(file))
  const sources = files.filter((file) => !file.endsWith('_test.go')).sort()
  const paths = sources.map((file) => join(source, file))
  const inputs = { texts: [version, ...reproducible, ...sources], paths }
  const folder = await cached(cacheDir, name, inputs, async (target) => {
    await run('go', ['build', ...reproducible, '-o', join(target, name), '.'], {
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
