import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { QueryClient, QueryObserver } from '@tanstack/react-query'
import type { Sandbox, Template } from '@wrenn/sdk'
import { keys } from '../data/keys.ts'
import { applyEvent, putSandbox } from './events.ts'

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()

function sandbox(id: string, more: Partial<Sandbox> = {}): Sandbox {
  return {
    ...{ id, status: 'running', template: 'minimal', vcpus: 1, memory_mb: 512, timeout_sec: 0 },
    ...{ on_timeout: 'pause', metadata: {}, started_at: null, last_active_at: null },
    ...{ created_at: at(1), last_updated: at(1) },
    ...more,
  }
}

function template(name: string, created: number): Template {
  return { name, type: 'snapshot', vcpus: 1, memory_mb: 512, size_bytes: 1, created_at: at(created) }
}

describe('the event stream in the cache', () => {
  let queries: QueryClient
  const listed = (): string[] | undefined =>
    queries.getQueryData<Sandbox[]>(keys.sandboxes)?.map(({ id, status }) => `${id} ${status}`)

  beforeEach(() => {
    queries = new QueryClient()
    queries.setQueryData(keys.sandboxes, [sandbox('b', { created_at: at(2) }), sandbox('a')])
  })

  it('puts a new sandbox at its place, changes a known one, and drops one that stopped', () => {
    applyEvent(queries, { type: 'sandbox', sandbox: sandbox('c', { created_at: at(3), status: 'pending' }) })
    applyEvent(queries, { type: 'sandbox', sandbox: sandbox('a', { status: 'paused', last_updated: at(4) }) })
    assert.deepEqual(listed(), ['c pending', 'b running', 'a paused'])
    applyEvent(queries, {
      type: 'sandbox',
      sandbox: sandbox('c', { status: 'stopped', last_updated: at(5) }),
    })
    applyEvent(queries, { type: 'sandbox', sandbox: sandbox('d', { status: 'stopped' }) })
    assert.deepEqual(listed(), ['b running', 'a paused'])
  })

  it('shows no older state after a newer one, whether of an event or of an answer', () => {
    queries.setQueryData(keys.sandbox('a'), sandbox('a'))
    putSandbox(queries, sandbox('a', { status: 'paused', last_updated: at(9) }))
    applyEvent(queries, { type: 'sandbox', sandbox: sandbox('a', { last_updated: at(8) }) })
    assert.deepEqual(listed(), ['b running', 'a paused'])
    assert.equal(queries.getQueryData<Sandbox>(keys.sandbox('a'))?.status, 'paused')
  })

  it('keeps a stopped sandbox on its own page', () => {
    queries.setQueryData(keys.sandbox('a'), sandbox('a'))
    putSandbox(queries, sandbox('a', { status: 'stopped', last_updated: at(2) }))
    assert.equal(queries.getQueryData<Sandbox>(keys.sandbox('a'))?.status, 'stopped')
  })

  it('makes up nothing that was never read', () => {
    const empty = new QueryClient()
    applyEvent(empty, { type: 'sandbox', sandbox: sandbox('a') })
    applyEvent(empty, { type: 'template', template: template('t', 1) })
    assert.deepEqual(
      empty
        .getQueryCache()
        .findAll()
        .filter(({ state }) => state.data !== undefined),
      [],
    )
  })

  it('follows templates: new, replaced, deleted', () => {
    queries.setQueryData(keys.templates, [template('old', 1)])
    const names = (): string[] | undefined =>
      queries
        .getQueryData<Template[]>(keys.templates)
        ?.map(({ name, created_at }) => `${name} ${created_at.slice(17, 19)}`)
    applyEvent(queries, { type: 'template', template: template('new', 2) })
    applyEvent(queries, { type: 'template', template: template('old', 3) })
    assert.deepEqual(names(), ['old 03', 'new 02'])
    applyEvent(queries, { type: 'template_deleted', name: 'new' })
    assert.deepEqual(names(), ['old 03'])
  })

  it('reads again when an event comes while an older answer is on its way', async () => {
    const answers: ((all: Sandbox[]) => void)[] = []
    const observer = new QueryObserver(queries, {
      queryKey: keys.sandboxes,
      queryFn: () => new Promise<Sandbox[]>((resolve) => answers.push(resolve)),
    })
    const stop = observer.subscribe(() => undefined)
    assert.equal(answers.length, 1)
    applyEvent(queries, { type: 'sandbox', sandbox: sandbox('c', { created_at: at(3) }) })
    answers[0]?.([sandbox('a')])
    assert.deepEqual(listed(), ['c running', 'b running', 'a running'])
    assert.equal(answers.length, 2)
    answers[1]?.([sandbox('c'), sandbox('a')])
    await observer.fetchOptimistic(observer.options)
    stop()
  })

  it('reads everything again when the stream begins anew', async () => {
    let reads = 0
    const observer = new QueryObserver(queries, {
      queryKey: keys.me,
      queryFn: () => Promise.resolve((reads += 1)),
      staleTime: Infinity,
    })
    const stop = observer.subscribe(() => undefined)
    await observer.refetch()
    const before = reads
    applyEvent(queries, { type: 'ready' })
    await observer.refetch({ cancelRefetch: false })
    assert.equal(reads, before + 1)
    stop()
  })
})
