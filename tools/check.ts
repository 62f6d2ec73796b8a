// `npm run check`: every static check of the repository, side by side. Prints what failed and exits 1, or one line.
// Called by: developers before a commit, and `npm test` first of all.
import { spawn } from 'node:child_process'

const started = performance.now()

const checks: Record<string, [string, ...string[]]> = {
  types: ['tsc', '--noEmit'],
  'types of the dashboard': ['tsc', '--noEmit', '-p', 'apps/dashboard'],
  lint: ['oxlint', '--type-aware', '--deny-warnings'],
  format: ['oxfmt', '--check', '.'],
  unused: ['knip', '--no-progress'],
  generated: ['node', 'tools/codegen/src/main.ts', '--check'],
  'go format': ['sh', '-c', 'files=$(gofmt -l guest apps); [ -z "$files" ] || { echo "$files"; exit 1; }'],
}

const results = await Promise.all(
  Object.entries(checks).map(async ([name, [command, ...args]]) => {
    const { code, text } = await output(command, args)
    return { name, code, text }
  }),
)
const failed = results.filter((result) => result.code !== 0)
for (const { name, text } of failed) console.error(`── ${name} ──\n${text}`)
const seconds = ((performance.now() - started) / 1000).toFixed(1)
console.log(
  failed.length > 0
    ? `check: ${failed.map((f) => f.name).join(', ')} failed (${seconds} s)`
    : `check: ${results.map((r) => r.name).join(', ')} passed (${seconds} s)`,
)
process.exitCode = failed.length > 0 ? 1 : 0

function output(command: string, args: string[]): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, text }))
  })
}
