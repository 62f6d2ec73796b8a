// Runs emulate's GitHub in a process of its own, for emulated-github.ts: prints its URL, and ends when stdin does. The
// argument is the seed, as JSON.
import { createEmulator } from 'emulate'

const github = await createEmulator({
  service: 'github',
  port: 0,
  seed: JSON.parse(process.argv[2] ?? '') as Record<string, unknown>,
})
console.log(`url ${github.url}`)
process.stdin.resume().once('end', () => void github.close().then(() => process.exit(0)))
