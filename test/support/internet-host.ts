// Runs in the namespace of internet.ts: an echoing HTTP on port 80 of every address, and DNS (UDP and TCP) on port 53 of
// the second argument, that answers
// each question with the first argument (RFC 1035: the question copied, one A record behind it).
import { createSocket } from 'node:dgram'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'

const [, , address = '', resolver = ''] = process.argv

function dnsAnswer(query: Buffer): Buffer {
  const questionEnd = query.indexOf(0, 12) + 5
  const isA = query.readUInt16BE(questionEnd - 4) === 1
  const header = Buffer.from(query.subarray(0, 12))
  header.writeUInt16BE(0x8180, 2)
  header.writeUInt16BE(isA ? 1 : 0, 6)
  header.fill(0, 8)
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)])
  return Buffer.concat([header, query.subarray(12, questionEnd), ...(isA ? [record] : [])])
}

const udp = createSocket('udp4')
udp.on('message', (query, from) => udp.send(dnsAnswer(query), from.port, from.address))
const tcp = createTcpServer((socket) => {
  socket.once('data', (data) => {
    const answer = dnsAnswer(data.subarray(2))
    const length = Buffer.alloc(2)
    length.writeUInt16BE(answer.length)
    socket.end(Buffer.concat([length, answer]))
  })
  socket.on('error', () => undefined)
})
// What is posted comes back; /endless goes on until the connection ends.
const http = createHttpServer((request, response) => {
  if (request.method === 'POST') request.pipe(response)
  else if (request.url === '/endless') {
    const timer = setInterval(() => response.write('more\n'), 50)
    response.once('close', () => clearInterval(timer))
  } else response.end('the internet')
})

await Promise.all([
  new Promise<void>((resolve) => udp.bind(53, resolver, resolve)),
  new Promise<void>((resolve) => tcp.listen(53, '0.0.0.0', resolve)),
  new Promise<void>((resolve) => http.listen(80, '0.0.0.0', resolve)),
])
console.log('listening')
