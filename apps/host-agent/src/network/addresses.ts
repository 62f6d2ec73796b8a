// Addresses. The guest's side is the same in every slot, so that a snapshot resumes in any of them; the host's side of a
// slot is a /30 out of the block that this instance has claimed on the machine.

export const guestAddress = '172.16.77.2'
export const gatewayAddress = '172.16.77.1'
export const guestMac = '02:fc:00:00:00:05'
export const tapMac = '02:fc:00:00:00:06'
export const tapName = 'tap0'
/** envd's port in the guest, and at the slot's own address. */
export const envdPort = 49983

export const slotsPerBlock = 1024

/** Not the internet: private, shared, loopback, link-local, multicast, reserved (RFC 6890). Guests reach none of it. */
export const deniedRanges = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
] as const

/** An IPv4 range as numbers, both ends included. */
export interface Range {
  first: number
  last: number
}

/** Blocks are /20s of 10.128.0.0/9: 2048 of them. */
export const blockCount = 2048
const firstBlock = parseAddress('10.128.0.0')

export function blockRange(block: number): Range {
  const first = firstBlock + block * slotsPerBlock * 4
  return { first, last: first + slotsPerBlock * 4 - 1 }
}

/** As nftables writes it. */
export function blockCidr(block: number): string {
  return `${formatAddress(blockRange(block).first)}/20`
}

/** The /30 of one slot: the host's end of its veth, and the slot's, at which the host reaches the guest. */
export function slotAddresses(block: number, index: number): { host: string; slot: string } {
  const base = blockRange(block).first + index * 4
  return { host: formatAddress(base + 1), slot: formatAddress(base + 2) }
}

export function parseAddress(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}

/** "10.1.0.0/16" or "10.1.2.3" as a range. */
export function parseRange(text: string): Range {
  const [address = '', bits = '32'] = text.split('/')
  const size = 2 ** (32 - Number(bits))
  const first = Math.floor(parseAddress(address) / size) * size
  return { first, last: first + size - 1 }
}

export function overlaps(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last
}
