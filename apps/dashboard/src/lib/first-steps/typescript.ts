// The first steps with @wrenn/sdk, for Node 22.18 or newer, which runs TypeScript.
import { countProgram, snapshotName, type Script, type Target } from './steps.ts'

export function typescriptSteps({ origin, apiKey }: Target): Script {
  return {
    fileName: 'first-steps.mts',
    runCommand: 'node first-steps.mts',
    needs: 'Node 22.18 or newer, and the SDK, which the repository of the platform builds:',
    setUp: `npm run build --workspace @wrenn/sdk          # in the repository
npm install PATH_TO_REPOSITORY/packages/sdk/dist   # in your project`,
    header: '// First steps with Wrenn: makes a sandbox, works in it, and leaves nothing behind.',
    comment: '//',
    code: {
      key: `import { Wrenn } from '@wrenn/sdk'

const { sandboxes, snapshots } = new Wrenn({
  baseUrl: '${origin}',
  apiKey: '${apiKey}',
})`,
      create: `const { id } = await sandboxes.create({ timeout_sec: 600 })
console.log('created', id)`,
      run: `const result = await sandboxes.exec(id, { cmd: 'python3', args: ['-c', 'print(6 * 7)'] })
console.log(result.exit_code, result.stdout)`,
      files: `const program = \`${countProgram}
\`
await sandboxes.files.write(id, '/root/count.py', program)
const bytes = await sandboxes.files.read(id, '/root/count.py')
console.log(new TextDecoder().decode(bytes))`,
      stream: `for await (const event of sandboxes.execStream(id, { cmd: 'python3', args: ['count.py'] })) {
  if (event.type === 'stdout') process.stdout.write(event.data)
  if (event.type === 'exit') console.log('exit', event.exit_code)
}`,
      pause: `const paused = await sandboxes.pause(id)
const resumed = await sandboxes.resume(id)
console.log(paused.status, resumed.status)`,
      snapshot: `await snapshots.create({ sandbox_id: id, name: '${snapshotName}' }, { overwrite: true })
const copy = await sandboxes.create({ template: '${snapshotName}', timeout_sec: 600 })
const { stdout } = await sandboxes.exec(copy.id, { cmd: 'ls', args: ['/root'] })
console.log(stdout)`,
      destroy: `await sandboxes.destroy(copy.id)
await snapshots.delete('${snapshotName}')
console.log('Nothing is left.')`,
    },
    notes: {},
  }
}
