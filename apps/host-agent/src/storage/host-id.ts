// Who this host is to control planes. Names on the machine come from the data folder's path; this lies in the folder, so
// that sandboxes are still this host's when their folder has moved.
import { instanceId, readFileIfThere, writeFileDurable } from '@wrenn/base'
import { layout } from './layout.ts'

/** Made with the first start, from the path that the folder has then. */
export async function hostId(dataFolder: string): Promise<string> {
  const { hostId: path } = layout(dataFolder)
  const known = (await readFileIfThere(path))?.trim()
  if (known) return known
  const id = instanceId(dataFolder)
  await writeFileDurable(path, `${id}\n`)
  return id
}
