// What a guest can reach: the internet and DNS through its gateway, and nothing else.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import { makeInternet, type Internet } from '../support/internet.ts'
import { TestPlatform } from '../support/real-platform.ts'
import { User } from '../support/user.ts'

let internet: Internet
let platform: TestPlatform
let user: User
let host: Server
let hostPort: number

before(async () => {
  internet = await makeInternet()
  platform = await TestPlatform.create({ WRENN_DNS: internet.resolver })
  user = await User.signUp(platform.url)
  host = createServer((_request, response) => response.end('the host')).listen(0, '0.0.0.0')
  await new Promise((resolve) => host.once('listening', resolve))
  hostPort = (host.address() as AddressInfo).port
})

after(async () => {
  host?.close()
  host?.closeAllConnections()
  await platform?.remove()
  await internet?.remove()
})

/** Which of these "address:port" a guest can open a TCP connection to. All are tried at once, for two seconds. */
async function reachable(id: string, targets: string[]): Promise<string[]> {
  const program = `
import socket, sys, threading
def attempt(target):
    address, port = target.rsplit(":", 1)
    try:
        socket.create_connection((address, int(port)), timeout=2).close()
        print(target)
    except OSError:
        pass
threads = [threading.Thread(target=attempt, args=[t]) for t in sys.argv[1:]]
[t.start() for t in threads]
[t.join() for t in threads]
`
  const { stdout, stderr } = await user.run(id, { cmd: 'python3', args: ['-c', program, ...targets] })
  assert.equal(stderr, '')
  return stdout.split('\n').filter((line) => line !== '')
}

test('a guest reaches the internet, by address and by name, and gets whole answers', async () => {
  const { id } = await user.create()
  assert.equal(await user.sh(id, `curl -sS -m 10 http://${internet.address}/`), 'the internet')
  assert.equal(await user.sh(id, 'curl -sS -m 10 http://any.name.example/'), 'the internet')
  // More than a packet, in both directions.
  const upload = `curl -sS -m 20 --data-binary @/tmp/x http://${internet.address}/`
  await user.sh(id, `head -c 1000000 /dev/urandom > /tmp/x && ${upload} | cmp - /tmp/x`)
  await user.destroy(id)
})

test('a guest reaches no private, shared or link-local address, and the resolver only through its gateway', async () => {
  const { id } = await user.create()
  const targets = [...internet.denied.map((address) => `${address}:80`), `${internet.resolver}:53`]
  for (const address of internet.denied)
    assert.ok((await fetch(`http://${address}/`)).ok, 'the test itself reaches it')
  assert.deepEqual(await reachable(id, [...targets, `${internet.address}:80`]), [`${internet.address}:80`])
  assert.deepEqual(await reachable(id, ['172.16.77.1:53']), ['172.16.77.1:53'])
  await user.destroy(id)
})

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, address }) => family === 'IPv4' && address !== '127.0.0.1')
    .map(({ address }) => address)
}

test('a guest reaches no address of its host', async () => {
  const { id, host_ip: slotAddress = '' } = await user.create()
  const answers = new Map<string, string>()
  for (const address of ownAddresses()) {
    const answer = await fetch(`http://${address}:${hostPort}/`).then((got) => got.text(), String)
    answers.set(address, answer)
  }
  // The networks of other platforms come and go.
  const own = ownAddresses().filter((address) => answers.has(address))
  assert.ok(own.includes(internet.hostAddress))
  for (const address of own) assert.equal(answers.get(address), 'the host', address)
  const targets = [...own, slotAddress, '172.16.77.1'].flatMap((address) => [
    `${address}:${hostPort}`,
    `${address}:22`,
  ])
  assert.deepEqual(await reachable(id, targets), [])
  await user.destroy(id)
})

test('two guests do not reach each other, nor the other one’s envd', async () => {
  const [first, second] = await Promise.all([user.create(), user.create()])
  await user.sh(
    second.id,
    'cd /tmp && (python3 -m http.server 8000 >/dev/null 2>&1 &) && for i in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:8000/ && exit 0; sleep 0.1; done; exit 1',
  )
  const targets = [8000, 49983].map((port) => `${second.host_ip}:${port}`)
  assert.deepEqual(await reachable(first.id, targets), [])
  await Promise.all([user.destroy(first.id), user.destroy(second.id)])
})

test('a guest cannot pretend to have another address, and has no IPv6', async () => {
  const { id } = await user.create()
  assert.equal(await user.sh(id, 'ip -6 addr show; ls /proc/sys/net/ipv6 2>/dev/null || true'), '')
  await user.sh(id, 'ip addr add 172.16.77.3/30 dev eth0; ip addr add 10.9.9.9/24 dev eth0')
  const spoofed = await user.run(id, {
    cmd: 'curl',
    args: ['-sS', '-m', '2', '--interface', '10.9.9.9', `http://${internet.address}/`],
  })
  assert.notEqual(spoofed.exit_code, 0)
  await user.destroy(id)
})
