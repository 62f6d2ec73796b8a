// What somebody has dropped or chosen, as files with their paths below the folder it goes to, and folders that are empty.

interface DroppedFile {
  /** "photos/2026/a.jpg" */
  path: string
  file: File
}

export interface Dropped {
  files: DroppedFile[]
  /** Folders in which there is nothing; all others come with their files. */
  emptyFolders: string[]
}

/** Call in the handler of the event: afterwards the browser forgets what was dropped. */
export async function readDropped(data: DataTransfer): Promise<Dropped> {
  const entries: FileSystemEntry[] = []
  const files: DroppedFile[] = []
  for (const item of data.items) {
    // What comes from a page instead of a folder (an image) is a file without a place.
    const entry = item.webkitGetAsEntry()
    const file = entry ? null : item.getAsFile()
    if (entry) entries.push(entry)
    else if (file) files.push({ path: file.name, file })
  }
  const dropped = await collect(entries)
  return { ...dropped, files: [...files, ...dropped.files] }
}

/** Of an `<input type="file">`, with folders or without. */
export function readChosen(list: FileList): Dropped {
  const files = [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }))
  return { files, emptyFolders: [] }
}

/** The names that it has at the top: those may be taken already. */
export function topNames({ files, emptyFolders }: Dropped): string[] {
  const paths = [...files.map(({ path }) => path), ...emptyFolders]
  return [...new Set(paths.map((path) => path.split('/', 1)[0] ?? path))]
}

/** Without what lies below these names. */
export function withoutNames({ files, emptyFolders }: Dropped, names: ReadonlySet<string>): Dropped {
  const isKept = (path: string): boolean => !names.has(path.split('/', 1)[0] ?? path)
  return { files: files.filter(({ path }) => isKept(path)), emptyFolders: emptyFolders.filter(isKept) }
}

async function collect(entries: readonly FileSystemEntry[]): Promise<Dropped> {
  const dropped: Dropped = { files: [], emptyFolders: [] }
  const waiting = [...entries]
  for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
    const path = entry.fullPath.replace(/^\//, '')
    if (entry.isFile) dropped.files.push({ path, file: await fileOf(entry as FileSystemFileEntry) })
    if (!entry.isDirectory) continue
    const children = await childrenOf(entry as FileSystemDirectoryEntry)
    if (children.length === 0) dropped.emptyFolders.push(path)
    waiting.push(...children)
  }
  return dropped
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject))
}

/** A reader gives at most a hundred at a time, and none at the end. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (some.length === 0) return all
    all.push(...some)
  }
}
