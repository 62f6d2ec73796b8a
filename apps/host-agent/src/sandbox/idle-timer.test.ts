import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { IdleTimer } from './idle-timer.ts'

let fired: number
const onIdle = (): void => void (fired += 1)

beforeEach(() => {
  fired = 0
  mock.timers.enable({ apis: ['setTimeout'] })
})
afterEach(() => mock.timers.reset())

test('it fires once, when nothing has happened for so long', () => {
  const timer = new IdleTimer(10, onIdle)
  mock.timers.tick(9_999)
  assert.equal(fired, 0)
  mock.timers.tick(1)
  assert.equal(fired, 1)
  mock.timers.tick(100_000)
  assert.equal(fired, 1)
  timer.stop()
})

test('each touch begins the time anew', () => {
  const timer = new IdleTimer(10, onIdle)
  for (let turn = 0; turn < 5; turn++) {
    mock.timers.tick(9_000)
    timer.touch()
  }
  assert.equal(fired, 0)
  mock.timers.tick(10_000)
  assert.equal(fired, 1)
})

test('while anything is open it never fires, and the time counts from the end of the last', () => {
  const timer = new IdleTimer(10, onIdle)
  const [first, second] = [timer.begin(), timer.begin()]
  mock.timers.tick(100_000)
  timer.touch()
  mock.timers.tick(100_000)
  first()
  first()
  mock.timers.tick(100_000)
  assert.equal(fired, 0)
  second()
  mock.timers.tick(9_999)
  assert.equal(fired, 0)
  mock.timers.tick(1)
  assert.equal(fired, 1)
})

test('0 is never, and so is one that was stopped, whatever ends after that', () => {
  new IdleTimer(0, onIdle).begin()()
  const timer = new IdleTimer(10, onIdle)
  const end = timer.begin()
  timer.stop()
  end()
  timer.touch()
  mock.timers.tick(1_000_000)
  assert.equal(fired, 0)
})

test('30 days, longer than setTimeout can wait, are 30 days', () => {
  const hour = 3_600_000
  const timer = new IdleTimer(30 * 86_400, onIdle)
  for (let hours = 0; hours < 30 * 24 - 1; hours++) mock.timers.tick(hour)
  assert.equal(fired, 0)
  // The second wait begins within a tick, and the mocked clock counts it from the tick's end.
  for (let hours = 0; hours < 3; hours++) mock.timers.tick(hour)
  assert.equal(fired, 1)
  timer.stop()
})
