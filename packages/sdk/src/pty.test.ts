// Terminals against the real control plane and the fake agent, which echoes what is typed. What real ones do is tested
// in test/system.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { WebSocket as WsWebSocket } from 'ws'
import type { Account } from '../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../test/support/control-plane.ts'
import { Wrenn, type OpenWebSocket, type Pty } from './index.ts'

const timeoutMs = 20_000
const viaWs: OpenWebSocket = (url, { protocols, headers }) => new WsWebSocket(url, protocols, { headers })

describe('pty', () => {
  let platform: Platform
  let account: Account
  let wrenn: Wrenn
  let id: string

  before(async () => {
    platform = await createPlatform()
    account = await platform.api.account()
    wrenn = new Wrenn({ baseUrl: platform.api.url, apiKey: account.apiKey })
    id = (await wrenn.sandboxes.create()).id
  })

  after(() => platform?.remove())

  /** All that a terminal says, as it comes. */
  function follow(terminal: Pty): { said: string[]; text: () => string; end: Promise<void> } {
    const said: string[] = []
    const read = async (): Promise<void> => {
      for await (const event of terminal) {
        if (event.type === 'output') said.push(event.data)
        else said.push(event.type === 'start' ? `<start ${event.pid}>` : `<exit ${event.exit_code}>`)
      }
    }
    return { said, text: () => said.join(''), end: read() }
  }

  const shows = (text: () => string, what: RegExp): Promise<true> =>
    pollUntil(`${what} comes`, () => what.test(text()) || undefined, { timeoutMs })

  it('takes what is typed and a size before it is open, and ends with exit', async () => {
    for (const webSocket of [undefined, viaWs]) {
      const { sandboxes } = new Wrenn({ baseUrl: platform.api.url, token: account.token, webSocket })
      const terminal = sandboxes.pty(id)
      terminal.write('größer 🦜\r')
      terminal.resize(132, 50)
      const { text, end } = follow(terminal)
      await shows(text, /^<start \d+>größer 🦜\r\n$/)
      await pollUntil(
        'the size is there',
        () => platform.agent.terminals.sizes.at(-1)?.cols === 132 || undefined,
        {
          timeoutMs,
        },
      )
      terminal.stop()
      terminal.stop()
      await end
      assert.match(text(), /<exit 129>$/)
    }
  })

  it('sends what is long in pieces, and cuts no character', async () => {
    const terminal = wrenn.sandboxes.pty(id)
    const long = `x${'🦜'.repeat(100_000)}`
    terminal.write(long)
    const { said, text, end } = follow(terminal)
    await pollUntil('it is all there', () => text().length >= long.length + said[0]!.length || undefined, {
      timeoutMs,
    })
    assert.equal(said.slice(1).join(''), long)
    terminal.stop()
    await end
  })

  it('detaches by close, by leaving the loop and by the signal; attaches again by pid', async () => {
    const first = wrenn.sandboxes.pty(id)
    let pid = 0
    for await (const event of first) {
      if (event.type === 'start') {
        pid = event.pid
        first.write('kept ')
      } else break
    }
    const second = wrenn.sandboxes.pty(id, { pid, cols: 100, rows: 30 })
    const { text, end } = follow(second)
    await shows(text, /<start \d+>kept /)
    assert.deepEqual(platform.agent.terminals.sizes.at(-1), { cols: 100, rows: 30 })
    second.close()
    await end
    const reason = new Error('enough')
    const controller = new AbortController()
    const third = follow(wrenn.sandboxes.pty(id, { pid }, { signal: controller.signal }))
    await shows(third.text, /kept /)
    controller.abort(reason)
    await assert.rejects(third.end, reason)
    const fourth = wrenn.sandboxes.pty(id, { pid })
    const last = follow(fourth)
    await shows(last.text, /kept /)
    fourth.stop()
    await last.end
  })

  it('says why there is none', async () => {
    const all = (terminal: Pty): Promise<unknown> => Array.fromAsync(terminal)
    const { sandboxes } = wrenn
    await assert.rejects(all(sandboxes.pty(id, { pid: 9_999 })), {
      name: 'WrennError',
      code: 'not_found',
      message: 'There is no terminal 9999',
    })
    await assert.rejects(all(sandboxes.pty(id, { cols: 0 })), { code: 'invalid_request', message: /cols/ })
    const stopped = await sandboxes.create()
    await sandboxes.destroy(stopped.id)
    await assert.rejects(all(sandboxes.pty(stopped.id)), { code: 'invalid_state', status: 409 })
    const broken = sandboxes.pty(id)
    await assert.rejects(
      async () => {
        for await (const event of broken)
          if (event.type === 'start') platform.agent.terminals.break('sandbox was paused')
      },
      { code: 'invalid_state', message: 'sandbox was paused' },
    )
  })
})
