// A small internet of the test's own: one host in its own network namespace. It has a documentation address (RFC 5737),
// and on its own loopback interface (not every kernel has dummy ones) addresses of every denied kind, which the machine
// routes to it: so what a guest sends to them would arrive, and nothing is ever sent to a real one.
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, endProcess, processRef, withDeadline } from '@wrenn/base'

export interface Internet {
  /** A public host: HTTP on port 80. */
  address: string
  /** The machine's own address on the way there. */
  hostAddress: string
  /** Addresses that no guest may reach, though HTTP is served there. */
  denied: string[]
  /** A resolver with a private address: it answers every A query with `address`. */
  resolver: string
  remove: () => Promise<void>
}

const denied = ['10.211.55.77', '100.101.55.77', '169.254.55.77', '172.29.55.77', '192.168.211.77']
const resolver = '10.211.55.77'
const hostProgram = join(import.meta.dirname, 'internet-host.ts')

export async function makeInternet(): Promise<Internet> {
  const slice = (process.pid % 60) * 4
  const name = `wt-internet-${process.pid}`
  const link = `wt${process.pid}`
  const [hostAddress, address] = [`203.0.113.${slice + 1}`, `203.0.113.${slice + 2}`]
  const remove = async (): Promise<void> => {
    await run('ip', ['link', 'del', link]).catch(() => undefined)
    await run('ip', ['netns', 'del', name])
  }
  await run('ip', ['netns', 'add', name])
  try {
    await ipBatch([
      `link add ${link} type veth peer name eth0 netns ${name}`,
      `addr add ${hostAddress}/30 dev ${link}`,
      // Smaller than the guest's, as on many a cloud.
      `link set ${link} mtu 1400`,
      `link set ${link} up`,
    ])
    await ipBatch(
      [
        'link set lo up',
        `addr add ${address}/30 dev eth0`,
        'link set eth0 mtu 1400',
        'link set eth0 up',
        `route add default via ${hostAddress}`,
        ...denied.map((each) => `addr add ${each}/32 dev lo`),
      ],
      name,
    )
    await ipBatch(denied.map((each) => `route add ${each}/32 via ${address} dev ${link}`))
    // As on a machine's uplink: answers come in here and go on to the guests.
    await writeFile(`/proc/sys/net/ipv4/conf/${link}/forwarding`, '1')
    const server = spawn('ip', ['netns', 'exec', name, process.execPath, hostProgram, address, resolver], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await withDeadline(
      'the internet host listens',
      10_000,
      new Promise((resolve) => server.stdout.once('data', resolve)),
    )
    return {
      address,
      hostAddress,
      denied,
      resolver,
      remove: async () => {
        const ref = server.pid === undefined ? undefined : processRef(server.pid)
        if (ref) await endProcess(ref, 0)
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

async function ipBatch(lines: string[], netns?: string): Promise<void> {
  await run('ip', [...(netns === undefined ? [] : ['-n', netns]), '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
  })
}
