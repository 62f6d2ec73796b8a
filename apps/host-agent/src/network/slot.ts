// One network slot: a namespace with a veth to the host and a tap for the VM. Made and removed with one `ip -batch` and
// one `nft -f` each.
import { writeFile } from 'node:fs/promises'
import { isErrno, run } from '@wrenn/base'
import { gatewayAddress, guestAddress, guestMac, slotAddresses, tapMac, tapName } from './addresses.ts'
import { slotRules } from './rules.ts'

export interface Slot {
  index: number
  /** The VM in it runs under this user id and no other. */
  uid: number
  netns: string
  tap: string
  /** The host's end of the veth. */
  interface: string
  /** At which the host reaches the guest (envd's port only). */
  hostIp: string
}

export interface SlotOptions {
  instance: string
  block: number
  index: number
  uid: number
  resolvers: readonly string[]
}

export function netnsPrefix(instance: string): string {
  return `wrenn-${instance}-`
}

/** Interface names hold 15 bytes: w, six of the instance, a dash and up to four digits. */
export function interfacePrefix(instance: string): string {
  return `w${instance}-`
}

export function describeSlot({ instance, block, index, uid }: Omit<SlotOptions, 'resolvers'>): Slot {
  return {
    index,
    uid,
    netns: `${netnsPrefix(instance)}${index}`,
    tap: tapName,
    interface: `${interfacePrefix(instance)}${index}`,
    hostIp: slotAddresses(block, index).slot,
  }
}

export async function makeSlot(options: SlotOptions): Promise<Slot> {
  const slot = describeSlot(options)
  const { host } = slotAddresses(options.block, options.index)
  try {
    await run('ip', ['netns', 'add', slot.netns])
    await ip([
      `link add ${slot.interface} type veth peer name eth0 netns ${slot.netns}`,
      `addr add ${host}/30 dev ${slot.interface}`,
      `link set ${slot.interface} up`,
    ])
    await ip(
      [
        'link set lo up',
        `addr add ${slot.hostIp}/30 dev eth0`,
        'link set eth0 up',
        `route add default via ${host}`,
        `tuntap add ${slot.tap} mode tap user ${slot.uid}`,
        `link set ${slot.tap} address ${tapMac}`,
        `addr add ${gatewayAddress}/30 dev ${slot.tap}`,
        `link set ${slot.tap} up`,
        `neigh add ${guestAddress} lladdr ${guestMac} dev ${slot.tap} nud permanent`,
      ],
      slot.netns,
    )
    await applySlotRules(slot, options)
    // A new namespace has its own /proc/sys/net. IPv6 stays off by the rules; the tap gets no address of it either.
    await run('ip', ['netns', 'exec', slot.netns, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
    await setSysctl(`ipv4/conf/${slot.interface}/forwarding`, '1')
    await setSysctl(`ipv6/conf/${slot.interface}/disable_ipv6`, '1')
    return slot
  } catch (error) {
    await removeSlot(slot)
    throw error
  }
}

/** Also called when a VM is re-adopted, since the host's resolvers may have changed meanwhile. */
export async function applySlotRules(slot: Slot, { block, index, resolvers }: SlotOptions): Promise<void> {
  const rules = slotRules(slotAddresses(block, index).host, resolvers)
  await run('ip', ['netns', 'exec', slot.netns, 'nft', '-f', '-'], { input: rules })
}

/** Removes what there is of a slot; none of it need be there. */
export async function removeSlot(slot: Slot): Promise<void> {
  // The veth first: removing a namespace is asynchronous, and its name stays taken until its interfaces are gone.
  await ignoreMissing(run('ip', ['link', 'del', slot.interface]))
  await ignoreMissing(run('ip', ['netns', 'del', slot.netns]))
}

export async function listNetns(): Promise<string[]> {
  const { stdout } = await run('ip', ['-json', 'netns', 'list'])
  return (JSON.parse(stdout || '[]') as { name: string }[]).map(({ name }) => name)
}

/** Sets a file under /proc/sys/net; a kernel without IPv6 has none for it. */
export async function setSysctl(path: string, value: string): Promise<void> {
  try {
    await writeFile(`/proc/sys/net/${path}`, value)
  } catch (error) {
    if (!(path.startsWith('ipv6/') && isErrno(error, 'ENOENT'))) throw error
  }
}

async function ignoreMissing(command: Promise<unknown>): Promise<void> {
  try {
    await command
  } catch (error) {
    if (!/Cannot find device|No such file or directory/.test(String(error))) throw error
  }
}

async function ip(lines: string[], netns?: string): Promise<void> {
  await run('ip', [...(netns === undefined ? [] : ['-n', netns]), '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
  })
}
