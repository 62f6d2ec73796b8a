// A file tree without a disk, for the agent without VMs: enough of one to see that each operation arrives, and refuses
// with the codes of the real one.
import { posix } from 'node:path'
import { AppError } from '@wrenn/base'
import type { HostAgentSchemas } from '@wrenn/contract'

type FileEntry = HostAgentSchemas['FileEntry']

export class FakeFiles {
  /** Content by path. */
  readonly contents = new Map<string, Buffer>()
  readonly #folders = new Set(['/', '/root', '/tmp'])

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
  }

  #within(path: string): string[] {
    return this.#paths().filter((other) => other === path || other.startsWith(`${path}/`))
  }

  #paths(): string[] {
    return [...this.#folders, ...this.contents.keys()].sort()
  }
}

function entry(path: string, type: 'file' | 'directory', size: number): FileEntry {
  const [mode, permissions] = type === 'file' ? [0o644, '-rw-r--r--'] : [0o755, 'drwxr-xr-x']
  const owned = { owner: 'root', group: 'root', modified_at: '2026-01-01T00:00:00.000Z' }
  return { name: posix.basename(path), path, type, size, mode, permissions, ...owned }
}
