// What is open while a sandbox is paused and resumed, as its client and as the guest's processes see it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { LivingSandbox } from '../support/living-sandbox.ts'
import { TestPlatform } from '../support/real-platform.ts'
import { ExecStream } from '../support/streams.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
})

after(() => platform?.remove())

test('a pause ends open streams with an error, their processes go on after the resume, and new streams work at once', async () => {
  const sandbox = await LivingSandbox.create(user)
  const { id } = sandbox
  const line = 'while :; do echo tick; echo >> /root/ticks; sleep 0.1; done'
  const streams = await Promise.all([1, 2, 3].map(() => ExecStream.sh(user, id, line)))
  const pids = await Promise.all(streams.map((stream) => stream.pid()))
  const begun = performance.now()
  await sandbox.pause()
  for (const stream of streams) {
    assert.equal(await stream.end(), 1011)
    assert.equal(stream.last?.type, 'error')
  }
  // Not after some deadline of the network: a dead connection would be noticed after 15 minutes.
  assert.ok(performance.now() - begun < 30_000)
  await assert.rejects(ExecStream.open(user, id), /409 invalid_state/)

  await sandbox.resume()
  await sandbox.assertAlive()
  const ticks = (): Promise<string> => user.sh(id, 'stat -c %s /root/ticks')
  const alive = await user.sh(id, `kill -0 ${pids.join(' ')} && echo alive`)
  assert.equal(alive, 'alive')
  const first = await ticks()
  await pollUntil('they go on', async () => ((await ticks()) === first ? undefined : true), {
    timeoutMs: 30_000,
  })
  const again = await ExecStream.sh(user, id, 'echo after')
  assert.equal(await again.end(), 1000)
  assert.equal(again.text('stdout'), 'after\n')
  await user.destroy(id)
})

test('a server inside a guest and its clients there know nothing of pauses', async () => {
  const sandbox = await LivingSandbox.create(user)
  const { id } = sandbox
  const script = `
import socket, threading
server = socket.create_server(("127.0.0.1", 7777))
def echo(client):
    while data := client.recv(100): client.sendall(data)
def serve():
    while True: threading.Thread(target=echo, args=(server.accept()[0],)).start()
threading.Thread(target=serve, daemon=True).start()
client = socket.create_connection(("127.0.0.1", 7777))
import time, pathlib
for number in range(10**9):
    client.sendall(b"%d" % number)
    pathlib.Path("/run/echoed").write_bytes(client.recv(100))
    time.sleep(0.05)
`
  await user.run(id, { cmd: 'sh', args: ['-c', 'cat > /root/echo.py'], stdin: script })
  await user.sh(id, 'nohup python3 /root/echo.py > /root/echo.log 2>&1 &')
  const grows = async (than: number): Promise<number> =>
    pollUntil(
      'it is echoed',
      async () => {
        const number = Number(await user.sh(id, 'cat /run/echoed /root/echo.log'))
        return number > than ? number : undefined
      },
      { timeoutMs: 60_000 },
    )
  let echoed = await grows(0)
  for (let cycle = 0; cycle < 2; cycle++) {
    await sandbox.pause()
    await sandbox.resume()
    echoed = await grows(echoed)
  }
  await user.destroy(id)
})
