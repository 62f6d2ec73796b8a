// Where one is: each folder on the way as a link, or the whole path as a text to be changed.
import { Link } from '@tanstack/react-router'
import { ChevronRight, PencilLine } from 'lucide-react'
import { Fragment, useState, type FormEvent, type ReactNode } from 'react'
import { pathSteps, resolvePath, visibleText } from '../../../lib/file-paths.ts'
import { Button } from '../../../ui/button.tsx'
import { CopyButton } from '../../../ui/copy-button.tsx'
import { IconButton } from '../../../ui/icon-button.tsx'
import { TextField } from '../../../ui/text-field.tsx'
import { route } from './route.ts'

export interface PathBarProps {
  path: string
  /** Beside it, at the right. */
  children?: ReactNode
}

export function PathBar({ path, children }: PathBarProps) {
  const [isEditing, setIsEditing] = useState(false)
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
      {isEditing ? (
        <PathForm path={path} onDone={() => setIsEditing(false)} />
      ) : (
        <>
          <Steps path={path} />
          <IconButton icon={PencilLine} label="Edit the path" onClick={() => setIsEditing(true)} />
          <CopyButton text={path} label="Copy the path" />
        </>
      )}
      <div className="ml-auto flex flex-wrap items-center gap-2 max-sm:ml-0">{children}</div>
    </div>
  )
}

function Steps({ path }: { path: string }) {
  const { id } = route.useParams()
  const steps = pathSteps(path)
  return (
    <nav aria-label="Path" className="min-w-0">
      <ol className="flex flex-wrap items-center font-mono text-xs">
        {steps.map((step, at) => (
          <Fragment key={step.path}>
            {at > 1 && (
              <li aria-hidden>
                <ChevronRight className="size-3.5 text-muted" />
              </li>
            )}
            <li className="min-w-0">
              <Link
                to="/sandboxes/$id/files"
                params={{ id }}
                search={{ path: step.path }}
                {...(at === steps.length - 1 ? { 'aria-current': 'page' as const } : {})}
                className="block rounded-sm px-1.5 py-1 [overflow-wrap:anywhere] whitespace-pre-wrap text-muted hover:bg-hover hover:text-ink aria-[current=page]:font-medium aria-[current=page]:text-ink"
              >
                {visibleText(step.name)}
              </Link>
            </li>
          </Fragment>
        ))}
      </ol>
    </nav>
  )
}

function PathForm({ path, onDone }: { path: string; onDone: () => void }) {
  const navigate = route.useNavigate()
  const [text, setText] = useState(path)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    onDone()
    void navigate({ search: { path: resolvePath(path, text) } })
  }
  return (
    <form
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onDone()
      }}
      className="flex min-w-0 flex-1 basis-72 items-center gap-2"
    >
      <div className="min-w-0 flex-1">
        <TextField
          label="Path"
          isLabelHidden
          isMono
          autoFocus
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={setText}
          // A field of one line would lose what stands after the first.
          {...(path.includes('\n') ? { rows: path.split('\n').length } : {})}
        />
      </div>
      <Button type="submit">Go</Button>
      <Button variant="ghost" onClick={onDone}>
        Cancel
      </Button>
    </form>
  )
}
