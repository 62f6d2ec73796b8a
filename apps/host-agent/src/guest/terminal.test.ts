// Against the real envd, which opens terminals on this machine.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { after, before, test } from 'node:test'
import { AppError, KIB, pollUntil } from '@wrenn/base'
import { LocalEnvd } from './local-envd.ts'
import { exec } from './exec.ts'
import {
  attachTerminal,
  feedTerminal,
  resizeTerminal,
  startTerminal,
  stopTerminal,
  type TerminalCommand,
} from './terminal.ts'

let envd: LocalEnvd
before(async () => {
  envd = await LocalEnvd.start()
})
after(() => envd.stop())

const size = { cols: 80, rows: 24 }
const timeoutMs = 20_000

interface Message {
  type: string
  pid?: number
  data?: string
  exit_code?: number
}

/** Somebody who follows a terminal and types into it. */
class Person {
  readonly messages: Message[] = []
  readonly input = new PassThrough()
  readonly leave = new AbortController()
  ended = false
  #typing: Promise<void> | undefined

  static async start(command: Partial<TerminalCommand> = {}): Promise<Person> {
    const person = new Person()
    const { signal } = person.leave
    person.#read(await startTerminal(envd.client, { args: [], ...command }, { size, signal }))
    await person.pid()
    return person
  }

  static async sh(line: string, more: Partial<TerminalCommand> = {}): Promise<Person> {
    return Person.start({ cmd: '/bin/sh', args: ['-c', line], ...more })
  }

  static async attach(pid: number): Promise<Person> {
    const person = new Person()
    person.#read(await attachTerminal(envd.client, pid, { size, signal: person.leave.signal }))
    return person
  }

  get output(): string {
    return this.messages.map(({ type, data }) => (type === 'output' ? data : '')).join('')
  }

  get last(): Message | undefined {
    return this.messages.at(-1)
  }

  pid(): Promise<number> {
    return pollUntil('it has started', () => this.messages[0]?.pid, { timeoutMs })
  }

  async shows(what: RegExp): Promise<void> {
    const shown = (): true | undefined => what.test(this.output) || undefined
    await pollUntil(`it shows ${what}: ${this.output}`, shown, { timeoutMs })
  }

  async end(): Promise<Message | undefined> {
    await pollUntil('it has ended', () => this.ended || undefined, { timeoutMs })
    return this.last
  }

  async type(text: string): Promise<void> {
    const { input, leave } = this
    this.#typing ??= feedTerminal(envd.client, await this.pid(), { input, signal: leave.signal })
    // One that is left in the middle.
    this.#typing.catch(() => undefined)
    input.write(text)
  }

  #read(lines: AsyncGenerator<Buffer>): void {
    const read = async (): Promise<void> => {
      for await (const line of lines) this.messages.push(JSON.parse(line.toString()) as Message)
      this.ended = true
    }
    void read()
  }
}

test('a command on a terminal sees one of the size that was asked for, and its exit ends it', async () => {
  const person = await Person.sh('test -t 0 && tty && stty size && echo $TERM; printf ä; exit 3')
  assert.deepEqual(await person.end(), { type: 'exit', exit_code: 3 })
  assert.match(person.output, /^\/dev\/pts\/\d+\r\n24 80\r\nxterm-256color\r\nä$/)
})

test('without a command it is the login shell, in the home, and it answers', async () => {
  const person = await Person.start({ envs: { PS1: 'ready ' } })
  await person.type('echo "$0 in $PWD"; exit 4\r')
  assert.deepEqual(await person.end(), { type: 'exit', exit_code: 4 })
  assert.match(person.output, /(bash|sh) in \/root\r\n/)
})

test('a shell that is not there is no reason not to get in', async () => {
  const person = await Person.start({ envs: { SHELL: '/no/such/shell' } })
  await person.type('echo in; exit\r')
  assert.equal((await person.end())?.exit_code, 0)
  assert.match(person.output, /in\r\n/)
})

test('what cannot be run shows why; folder and user are refused', async () => {
  for (const [cmd, code] of [
    ['no-such-command', 127],
    ['/etc/passwd', 126],
  ] as const) {
    const { signal } = new AbortController()
    const lines = await startTerminal(envd.client, { cmd, args: [] }, { size, signal })
    const messages: Message[] = []
    for await (const line of lines) messages.push(JSON.parse(line.toString()) as Message)
    assert.match(messages[0]?.data ?? '', new RegExp(`${cmd}.*\r\n$`))
    assert.deepEqual(messages[1], { type: 'exit', exit_code: code })
  }
  for (const options of [{ cwd: '/no/such/folder' }, { user: 'nobody-here' }])
    await assert.rejects(
      Person.start(options),
      (error) => error instanceof AppError && error.code === 'invalid_request',
    )
})

test('who leaves leaves it running; who attaches sees the last output, the new size and what comes', async () => {
  const person = await Person.sh('echo begun; read line; stty size; echo "got $line"; exec sleep 60')
  const pid = await person.pid()
  await person.shows(/begun/)
  person.leave.abort()
  await person.end()
  assert.notEqual(person.last?.type, 'error')
  await resizeTerminal(envd.client, pid, { cols: 132, rows: 50 })
  const [one, two] = [await Person.attach(pid), await Person.attach(pid)]
  await one.shows(/begun/)
  await resizeTerminal(envd.client, pid, { cols: 100, rows: 30 })
  await one.type('hello\r')
  for (const each of [one, two]) await each.shows(/begun\r\nhello\r\n30 100\r\ngot hello/)
  void stopTerminal(envd.client, pid)
  for (const each of [one, two]) assert.deepEqual(await each.end(), { type: 'exit', exit_code: 129 })
})

test('whoever leaves before it has started leaves nothing running', async () => {
  const leave = new AbortController()
  const marker = 'sleep 61.5'
  const starting = startTerminal(
    envd.client,
    { cmd: '/bin/sh', args: ['-c', `exec ${marker}`] },
    { size, signal: leave.signal },
  )
  leave.abort(new Error('gone'))
  await assert.rejects(starting, /gone/)
  const isGone = async (): Promise<true | undefined> => {
    const found = await exec(envd.client, { cmd: 'pgrep', args: ['-fx', marker], timeoutSec: 30 })
    return found.stdout === '' ? true : undefined
  }
  await pollUntil('it is gone', isGone, { timeoutMs })
})

test('a stop is a hangup for every process, and a kill for those that stay', async () => {
  const stubborn = `trap '' HUP; (trap '' HUP; exec sleep 62.5) & sleep 62.5; wait`
  const person = await Person.sh(`echo ready; ${stubborn}`)
  await person.shows(/ready/)
  const startedAt = performance.now()
  await stopTerminal(envd.client, await person.pid())
  assert.deepEqual(await person.end(), { type: 'exit', exit_code: 137 })
  assert.ok(performance.now() - startedAt >= 5_000)
  const left = await exec(envd.client, { cmd: 'pgrep', args: ['-fx', 'sleep 62.5'], timeoutSec: 30 })
  assert.equal(left.stdout, '')
})

test('what is no terminal, or not there, is not found', async () => {
  const person = await Person.sh('exit')
  const gone = await person.pid()
  await person.end()
  const { signal } = new AbortController()
  for (const pid of [gone, 4_194_304]) {
    const isMissing = (error: unknown): boolean =>
      error instanceof AppError &&
      error.code === 'not_found' &&
      error.message === `There is no terminal ${pid}`
    await assert.rejects(attachTerminal(envd.client, pid, { size, signal }), isMissing)
    await assert.rejects(resizeTerminal(envd.client, pid, size), isMissing)
    const input = new PassThrough()
    input.end('x')
    await assert.rejects(feedTerminal(envd.client, pid, { input, signal }), isMissing)
    await stopTerminal(envd.client, pid)
  }
  const { script, started } = envd.sleeper('no-terminal')
  const running = exec(envd.client, { cmd: '/bin/sh', args: ['-c', script], timeoutSec: 60 })
  const { pid } = await started()
  await assert.rejects(attachTerminal(envd.client, pid, { size, signal }), /There is no terminal/)
  await exec(envd.client, { cmd: 'kill', args: [String(pid)], timeoutSec: 30 })
  await running
})

test('a paste of a megabyte arrives whole, in order, at the pace of who reads it', async () => {
  const person = await Person.sh('stty raw -echo; echo ready; head -c 1048576 | sha256sum; exec sleep 0')
  await person.shows(/ready/)
  const text = Array.from(
    { length: (1_024 * KIB) / 8 },
    (_, index) => String(index).padStart(7, '0') + ' ',
  ).join('')
  assert.equal(text.length, 1_048_576)
  for (let at = 0; at < text.length; at += 5_000) await person.type(text.slice(at, at + 5_000))
  await person.end()
  assert.match(person.output, new RegExp(createHash('sha256').update(text).digest('hex')))
})

test('a guest that goes away is an error, and the end', async () => {
  const other = await LocalEnvd.start()
  try {
    const follower = { size, signal: new AbortController().signal }
    const lines = await startTerminal(other.client, { cmd: 'cat', args: [] }, follower)
    await lines.next()
    other.client.close(new AppError('invalid_state', 'sandbox sb-1 was paused'))
    const { value } = await lines.next()
    assert.deepEqual(JSON.parse(String(value)), {
      type: 'error',
      code: 'invalid_state',
      data: 'sandbox sb-1 was paused',
    })
    assert.equal((await lines.next()).done, true)
  } finally {
    await other.stop()
  }
})
