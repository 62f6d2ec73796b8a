import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseResolvConf } from './resolvers.ts'

test('the first three name servers that packets can be sent to', () => {
  const text = `# generated
search example.test
nameserver 127.0.0.53
nameserver fe80::1%eth0
nameserver 0.0.0.0
  nameserver\t10.0.0.2   # the office
#nameserver 10.9.9.9
nameserver 1.1.1.1
nameservers 9.9.9.9
nameserver
nameserver example.test
nameserver 8.8.8.8
nameserver 8.8.4.4
options edns0`
  assert.deepEqual(parseResolvConf(text), ['10.0.0.2', '1.1.1.1', '8.8.8.8'])
})

test('a file without any has none', () => {
  assert.deepEqual(parseResolvConf(''), [])
  assert.deepEqual(parseResolvConf('nameserver 127.0.0.1\n'), [])
})

test('every address of another machine is found, between any other lines', () => {
  const addresses = fc.array(
    fc.ipV4().filter((text) => !/^(127|0)\./.test(text)),
    { maxLength: 3 },
  )
  const noise = fc.string().filter((text) => !text.includes('nameserver'))
  fc.assert(
    fc.property(addresses, noise, (found, line) => {
      const lines = found.flatMap((address) => [line, `nameserver ${address}`])
      assert.deepEqual(parseResolvConf(lines.join('\n')), found)
    }),
  )
})
