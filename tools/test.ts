// `npm test`: every check and every test, with real VMs and real Postgres. tools/bootstrap.sh has prepared the machine.
// Arguments are test files, to run only those: npm test -- test/system/network.test.ts
import { spawnSync } from 'node:child_process'
import { chmodSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileCache } from '@wrenn/base'
import { buildDashboard } from '@wrenn/dashboard'
import { buildImages } from '@wrenn/images'

const repository = join(import.meta.dirname, '..')
const goModules = ['guest/envd', 'apps/host-agent/hostkit']
const testFiles = [
  'packages/*/src/**/*.test.ts',
  'apps/*/src/**/*.test.ts',
  'images/src/**/*.test.ts',
  'tools/**/*.test.ts',
  'test/**/*.test.ts',
]
/** The race detector needs a C compiler, which the machine may not have; without one Go must not ask for it. */
const hasCompiler = spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0
const cacheDir = process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn'
/** What tests keep for each other while this runs: test/support/seed.ts. */
const seed = mkdtempSync(join(tmpdir(), 'wrenn-seed-'))
const environment = {
  NODE_COMPILE_CACHE: compileCache(cacheDir),
  ...process.env,
  CGO_ENABLED: hasCompiler ? '1' : '0',
  WRENN_TEST_SEED: seed,
}
/** A file that hangs must not hold up the rest for ever. */
const fileTimeoutMs = 600_000

if (process.getuid?.() !== 0) {
  console.error('The tests make VMs and networks, which takes root: run sudo npm test')
  process.exit(1)
}

chmodSync(seed, 0o711)
process.on('exit', () => rmSync(seed, { recursive: true, force: true }))
const selected = process.argv.slice(2)
if (selected.length === 0) {
  step('npm run check', process.execPath, ['tools/check.ts'])
  for (const module of goModules) {
    step(`go vet in ${module}`, 'go', ['vet', './...'], module)
    step(`go test in ${module}`, 'go', ['test', ...(hasCompiler ? ['-race'] : []), './...'], module)
  }
}
console.log('── images ──')
await buildImages({ cacheDir, onProgress: (line) => console.log(line) })
console.log('── dashboard ──')
await buildDashboard(cacheDir)
const files =
  selected.length > 0
    ? selected
    : testFiles.flatMap((pattern) => globSync(pattern, { cwd: repository })).sort()
step(`node --test, ${files.length} files`, process.execPath, [
  '--test',
  '--test-concurrency=2',
  '--test-reporter=spec',
  `--test-timeout=${fileTimeoutMs}`,
  ...files,
])

/** Runs a command with its output shown; ends everything with its exit code when it fails. */
function step(title: string, command: string, args: string[], folder = '.'): void {
  console.log(`── ${title} ──`)
  const { status, error } = spawnSync(command, args, {
    cwd: join(repository, folder),
    env: environment,
    stdio: 'inherit',
  })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}
