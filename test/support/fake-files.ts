// A file tree without a disk, for the agent without VMs: enough of one to see that each operation arrives, and refuses
// with the codes of the real one.
import { EventEmitter, on } from 'node:events'
import { posix } from 'node:path'
import { AppError } from '@wrenn/base'
import type { HostAgentSchemas, PublicSchemas } from '@wrenn/contract'

type FileEntry = HostAgentSchemas['FileEntry']
type Change = PublicSchemas['FileChange']

export class FakeFiles {
  /** Content by path. */
  readonly contents = new Map<string, Buffer>()
  /** Watchers that are open. */
  watching = 0
  readonly #folders = new Set(['/', '/root', '/tmp'])
  readonly #changes = new EventEmitter<{ change: [Change] }>()

  list(path: string): FileEntry[] {
    if (this.stat(path).type !== 'directory')
      throw new AppError('invalid_request', `${path}: not a directory`)
    return this.#paths()
      .filter((other) => other !== '/' && posix.dirname(other) === path)
      .map((child) => this.stat(child))
  }

  stat(path: string): FileEntry {
    const content = this.contents.get(path)
    if (content) return entry(path, 'file', content.length)
    if (this.#folders.has(path)) return entry(path, 'directory', 4_096)
    throw new AppError('not_found', `${path}: no such file or directory`)
  }

  makeFolder(path: string): FileEntry {
    if (this.#paths().includes(path)) throw new AppError('already_exists', `${path}: the directory exists`)
    for (let folder = path; !this.#folders.has(folder); folder = posix.dirname(folder))
      this.#folders.add(folder)
    this.#changes.emit('change', { type: 'create', path })
    return this.stat(path)
  }

  move(source: string, destination: string): FileEntry {
    this.stat(source)
    if (this.#paths().includes(destination))
      throw new AppError('already_exists', `${destination}: file exists`)
    if (destination.startsWith(`${source}/`))
      throw new AppError('invalid_request', `${source}: cannot be moved into itself`)
    for (const path of this.#within(source)) {
      const moved = destination + path.slice(source.length)
      const content = this.contents.get(path)
      if (content) this.contents.set(moved, content)
      else this.#folders.add(moved)
    }
    this.remove(source)
    return this.stat(destination)
  }

  remove(path: string): void {
    this.stat(path)
    if (path === '/') throw new AppError('invalid_request', 'the root folder cannot be removed')
    for (const within of this.#within(path)) {
      this.contents.delete(within)
      this.#folders.delete(within)
    }
    this.#changes.emit('change', { type: 'remove', path })
  }

  /** Lines as the agent's; they end with the folder. */
  watch(path: string, recursive: boolean, signal: AbortSignal): AsyncGenerator<string> {
    this.list(path)
    return this.#follow({ path, recursive, signal })
  }

  async *#follow(watch: { path: string; recursive: boolean; signal: AbortSignal }): AsyncGenerator<string> {
    const { path, recursive, signal } = watch
    this.watching += 1
    try {
      const changes = on(this.#changes, 'change', { signal })
      yield line('ready', {})
      for await (const [change] of changes as AsyncIterable<[Change]>) {
        if (change.type === 'remove' && change.path === path) return
        const isBelow = change.path.startsWith(`${path === '/' ? '' : path}/`)
        if (isBelow && (recursive || posix.dirname(change.path) === path)) yield line('change', change)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      this.watching -= 1
    }
  }

  #within(path: string): string[] {
    return this.#paths().filter((other) => other === path || other.startsWith(`${path}/`))
  }

  #paths(): string[] {
    return [...this.#folders, ...this.contents.keys()].sort()
  }
}

function line(event: string, data: object): string {
  return `${JSON.stringify({ event, data })}\n`
}

function entry(path: string, type: 'file' | 'directory', size: number): FileEntry {
  const [mode, permissions] = type === 'file' ? [0o644, '-rw-r--r--'] : [0o755, 'drwxr-xr-x']
  const owned = { owner: 'root', group: 'root', modified_at: '2026-01-01T00:00:00.000Z' }
  return { name: posix.basename(path), path, type, size, mode, permissions, ...owned }
}
