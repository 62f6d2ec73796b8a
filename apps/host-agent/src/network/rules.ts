// nftables rules. Two layers that say the same: each slot's own namespace denies everything but the internet and the
// gateway's DNS, and the host denies it once more for all slots of the instance, its own addresses included.
import { deniedRanges, envdPort, gatewayAddress, guestAddress, tapName } from './addresses.ts'

/** In the slot's namespace. `hostAddress` is the only one that may reach envd. Replaces what was there. */
export function slotRules(hostAddress: string, resolvers: readonly string[]): string {
  return `
table ip wrenn
delete table ip wrenn
table ip wrenn {
  set denied { type ipv4_addr; flags interval; elements = { ${deniedRanges.join(', ')} } }
  chain to_envd {
    type nat hook prerouting priority dstnat
    iifname eth0 ip saddr ${hostAddress} tcp dport ${envdPort} dnat to ${guestAddress}
    ${dnsRules(resolvers)}
  }
  chain to_outside {
    type nat hook postrouting priority srcnat
    oifname { eth0, ${tapName} } masquerade
  }
  chain guard_forward {
    type filter hook forward priority filter; policy drop
    tcp flags syn tcp option maxseg size set rt mtu
    ct state established,related accept
    iifname eth0 oifname ${tapName} ct status dnat accept
    iifname ${tapName} ip saddr != ${guestAddress} drop
    iifname ${tapName} ct status dnat accept
    iifname ${tapName} ip daddr @denied drop
    iifname ${tapName} oifname eth0 accept
  }
  chain guard_input {
    type filter hook input priority filter; policy drop
    ct state established,related accept
    icmp type echo-request accept
  }
}
table ip6 wrenn
delete table ip6 wrenn
table ip6 wrenn {
  chain guard_forward { type filter hook forward priority filter; policy drop; }
  chain guard_input { type filter hook input priority filter; policy drop; }
}
`
}

function dnsRules(resolvers: readonly string[]): string {
  if (resolvers.length === 0) return ''
  const target = resolvers.map((resolver, index) => `${index} : ${resolver}`).join(', ')
  return ['udp', 'tcp']
    .map(
      (protocol) =>
        `iifname ${tapName} ip daddr ${gatewayAddress} ${protocol} dport 53 dnat to numgen inc mod ${resolvers.length} map { ${target} }`,
    )
    .join('\n    ')
}

export interface HostRulesOptions {
  instance: string
  /** What the names of the slots' interfaces start with. */
  prefix: string
  /** The slots' addresses, as a CIDR range. */
  range: string
  resolvers: readonly string[]
}

/** On the host, for all slots of an instance. Replaces what was there. */
export function hostRules({ instance, prefix, range, resolvers }: HostRulesOptions): string {
  const table = hostTable(instance)
  const slots = `"${prefix}*"`
  const dns =
    resolvers.length === 0
      ? ''
      : `iifname ${slots} ip daddr { ${resolvers.join(', ')} } meta l4proto { udp, tcp } th dport 53 accept`
  return `
table inet ${table}
delete table inet ${table}
table inet ${table} {
  set denied { type ipv4_addr; flags interval; elements = { ${deniedRanges.join(', ')} } }
  chain guard_input {
    type filter hook input priority filter - 5
    iifname ${slots} ct state established,related accept
    ${dns}
    iifname ${slots} drop
  }
  chain guard_forward {
    type filter hook forward priority filter - 5
    iifname ${slots} meta nfproto ipv6 drop
    oifname ${slots} meta nfproto ipv6 drop
    iifname ${slots} tcp flags syn tcp option maxseg size set rt mtu
    oifname ${slots} tcp flags syn tcp option maxseg size set rt mtu
    iifname ${slots} ct state established,related accept
    oifname ${slots} ct state established,related accept
    oifname ${slots} drop
    ${dns}
    iifname ${slots} ip daddr @denied drop
  }
  chain to_outside {
    type nat hook postrouting priority srcnat
    ip saddr ${range} oifname != ${slots} masquerade
  }
}
`
}

export function hostTable(instance: string): string {
  return `wrenn_${instance}`
}
