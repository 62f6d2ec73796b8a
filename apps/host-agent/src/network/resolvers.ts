// The DNS servers that guests' queries go to: WRENN_DNS, or those of the host. The gateway of every slot answers port 53
// and passes it on to them, so a host whose resolver has a private address works too.
import { isIPv4 } from 'node:net'
import { readFileIfThere } from '@wrenn/base'

/** systemd-resolved's stub on 127.0.0.53 answers only the host itself; its own list of upstream servers is here. */
const files = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']

/** IPv4 addresses, the first three of the first file that has any that a guest's packets can be sent to. */
export async function hostResolvers(): Promise<string[]> {
  for (const file of files) {
    const servers = parseResolvConf((await readFileIfThere(file)) ?? '')
    if (servers.length > 0) return servers
  }
  return []
}

export function parseResolvConf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
    .filter((address) => isIPv4(address) && !isThisHost(address))
    .slice(0, 3)
}

/** Loopback, and 0.0.0.0, which is "this host" too (RFC 6890). */
function isThisHost(address: string): boolean {
  return /^(127|0)\./.test(address)
}
