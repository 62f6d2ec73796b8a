import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  blockCidr,
  blockCount,
  blockRange,
  formatAddress,
  overlaps,
  parseAddress,
  parseRange,
  slotAddresses,
  slotsPerBlock,
} from './addresses.ts'

const block = fc.nat(blockCount - 1)
const index = fc.nat(slotsPerBlock - 1)
const slot = fc.record({ block, index })
const address = fc.nat(2 ** 32 - 1)
const range = fc
  .tuple(address, fc.nat(32))
  .map(([first, bits]) => parseRange(`${formatAddress(first)}/${bits}`))

/** The /30 that both addresses of a slot are in. */
function network({ block, index }: { block: number; index: number }): ReturnType<typeof parseRange> {
  const { host, slot } = slotAddresses(block, index)
  const range = parseRange(`${host}/30`)
  assert.deepEqual(parseRange(`${slot}/30`), range)
  return range
}

test('an address is the same after formatting and parsing', () => {
  fc.assert(
    fc.property(address, (number) => {
      assert.ok(isIPv4(formatAddress(number)))
      assert.equal(parseAddress(formatAddress(number)), number)
    }),
  )
  fc.assert(fc.property(fc.ipV4(), (text) => formatAddress(parseAddress(text)) === text))
})

test("the two ends of a slot are the two hosts of a /30 of its own, within its block's range", () => {
  fc.assert(
    fc.property(slot, slot, (one, other) => {
      const { first, last } = network(one)
      const { host, slot } = slotAddresses(one.block, one.index)
      assert.deepEqual([parseAddress(host), parseAddress(slot)], [first + 1, last - 1])
      const whole = blockRange(one.block)
      assert.ok(first >= whole.first && last <= whole.last)
      const same = one.block === other.block && one.index === other.index
      assert.equal(overlaps(network(one), network(other)), same)
    }),
  )
})

test('blocks share nothing and stay in 10.128.0.0/9, which the last one ends', () => {
  const all = parseRange('10.128.0.0/9')
  fc.assert(
    fc.property(block, block, (one, other) => {
      assert.equal(overlaps(blockRange(one), blockRange(other)), one === other)
      assert.ok(blockRange(one).first >= all.first && blockRange(one).last <= all.last)
      assert.deepEqual(parseRange(blockCidr(one)), blockRange(one))
    }),
  )
  assert.equal(blockRange(0).first, all.first)
  assert.equal(blockRange(blockCount - 1).last, all.last)
})

test('a range begins and ends where its prefix says, whatever address of it is given', () => {
  assert.deepEqual(parseRange('10.1.2.3'), { first: 0x0a010203, last: 0x0a010203 })
  assert.deepEqual(parseRange('10.1.2.3/16'), { first: 0x0a010000, last: 0x0a01ffff })
  assert.deepEqual(parseRange('0.0.0.0/0'), { first: 0, last: 0xffffffff })
  assert.deepEqual(parseRange('255.255.255.255/32'), { first: 0xffffffff, last: 0xffffffff })
})

test('two ranges overlap exactly when an address is in both', () => {
  fc.assert(
    fc.property(range, range, (a, b) => {
      const shared = Math.max(a.first, b.first) <= Math.min(a.last, b.last)
      assert.equal(overlaps(a, b), shared)
      assert.equal(overlaps(b, a), shared)
      assert.ok(overlaps(a, a))
    }),
  )
})
