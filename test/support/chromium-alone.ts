// Chromium in a network of its own, in which nothing ever changes: a browser gives requests up (ERR_NETWORK_CHANGED)
// whenever an interface comes or goes on its machine, and tests beside it make VMs. Started by chromium-alone.sh; leads
// the ports of its settings on to unix sockets, whose other ends browser.ts holds outside. Ends when Chromium does.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { run } from '@wrenn/base'
import { forwardTo } from './forward.ts'

const executable = '/usr/bin/chromium'
/** An address that is nobody's (RFC 5737): with none but loopback a browser thinks that it is offline. */
const somewhere = '192.0.2.1/24'

await run('ip', ['link', 'set', 'lo', 'up'])
await run('ip', ['link', 'add', 'somewhere', 'type', 'veth', 'peer', 'name', 'nowhere'])
// Addresses of IPv6 that appear by themselves do so two seconds later (RFC 4862, section 5.4): that is a change.
for (const name of ['somewhere', 'nowhere']) await run('ip', ['link', 'set', name, 'addrgenmode', 'none'])
await run('ip', ['address', 'add', somewhere, 'dev', 'somewhere'])
for (const name of ['somewhere', 'nowhere']) await run('ip', ['link', 'set', name, 'up'])

const forwards = JSON.parse(process.env['WRENN_TEST_FORWARDS'] ?? '{}') as Record<string, string>
for (const [port, path] of Object.entries(forwards)) {
  const server = createServer((socket) => forwardTo(socket, { path })).listen(Number(port), '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
}

// Playwright talks to it over descriptors 3 and 4.
const chromium = spawn(executable, process.argv.slice(2), { stdio: ['inherit', 'inherit', 'inherit', 3, 4] })
chromium.once('exit', (code) => process.exit(code ?? 1))
