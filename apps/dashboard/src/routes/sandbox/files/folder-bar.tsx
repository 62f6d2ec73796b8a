// Above a folder: what can be made in it, and how it is shown.
import { FilePlus, FolderPlus, FolderUp, Search, Terminal, Upload } from 'lucide-react'
import { useRef, type ChangeEvent } from 'react'
import { cx } from '../../../lib/cx.ts'
import { curlCommand } from '../../../lib/curl.ts'
import { joinPath } from '../../../lib/file-paths.ts'
import { Button } from '../../../ui/button.tsx'
import { Checkbox } from '../../../ui/checkbox.tsx'
import { copyText } from '../../../ui/copy-button.tsx'
import { controlStyle } from '../../../ui/field.tsx'
import { ActionMenu } from '../../../ui/menu.tsx'
import { Select } from '../../../ui/select.tsx'
import type { SortBy } from './arrange.ts'
import { fileCalls } from './calls.ts'
import type { OpenDialog } from './dialogs.tsx'
import { route } from './route.ts'
import { readChosen, type Dropped } from './transfers/dropped.ts'
import type { ViewOptions } from './view-options.ts'

export interface FolderBarProps {
  /** The folder. */
  path: string
  view: ViewOptions
  onView: (view: ViewOptions) => void
  filter: string
  onFilter: (filter: string) => void
  onDialog: (dialog: OpenDialog) => void
  onUpload: (chosen: Dropped) => void
}

const orders: readonly { value: SortBy; label: string }[] = [
  { value: 'name', label: 'By name' },
  { value: 'modified', label: 'Newest first' },
  { value: 'size', label: 'Largest first' },
]

export function FolderBar({ path, view, onView, filter, onFilter, onDialog, onUpload }: FolderBarProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <label className="relative w-56 max-sm:w-full">
        <span className="sr-only">Filter by name</span>
        <Search aria-hidden className="absolute top-2 left-2.5 size-4 text-muted" />
        <input
          type="search"
          value={filter}
          onChange={({ target }) => onFilter(target.value)}
          placeholder="Name…"
          className={cx(controlStyle, 'h-8 pl-8')}
        />
      </label>
      <div className="w-36">
        <Select
          label="Order"
          isLabelHidden
          value={view.sortBy}
          onChange={(sortBy) => onView({ ...view, sortBy })}
          options={orders}
        />
      </div>
      <Checkbox
        label="Hidden files"
        isChecked={view.showsHidden}
        onChange={(showsHidden) => onView({ ...view, showsHidden })}
      />
      <div className="flex flex-wrap gap-2 sm:ml-auto">
        <Button icon={FilePlus} onClick={() => onDialog({ kind: 'new-file' })}>
          New file
        </Button>
        <Button icon={FolderPlus} onClick={() => onDialog({ kind: 'new-folder' })}>
          New folder
        </Button>
        <UploadButton path={path} onUpload={onUpload} />
      </div>
    </div>
  )
}

/** React's types do not know it. */
const folderAttribute = { webkitdirectory: '' }

function UploadButton({ path, onUpload }: { path: string; onUpload: (chosen: Dropped) => void }) {
  const { id } = route.useParams()
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const take = ({ target }: ChangeEvent<HTMLInputElement>): void => {
    if (target.files) onUpload(readChosen(target.files))
    // So that the same can be chosen again.
    target.value = ''
  }
  return (
    <>
      <ActionMenu
        trigger={
          <Button icon={Upload} variant="primary">
            Upload
          </Button>
        }
        actions={[
          { label: 'Files…', icon: Upload, onSelect: () => files.current?.click() },
          { label: 'A folder…', icon: FolderUp, onSelect: () => folder.current?.click() },
          {
            label: 'Copy as curl',
            icon: Terminal,
            onSelect: () =>
              copyText(curlCommand(fileCalls.write(id, joinPath(path, 'hello.txt')), location.origin)),
          },
        ]}
      />
      <input ref={files} type="file" multiple hidden aria-label="Files to upload" onChange={take} />
      <input
        ref={folder}
        type="file"
        {...folderAttribute}
        hidden
        aria-label="Folder to upload"
        onChange={take}
      />
    </>
  )
}
