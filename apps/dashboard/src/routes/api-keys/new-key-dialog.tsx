// Shows a new key, which the server does not keep: this once. Neither Escape nor the back button takes it away.
import { useBlocker } from '@tanstack/react-router'
import type { NewApiKey } from '@wrenn/sdk'
import { TriangleAlert } from 'lucide-react'
import { useRef } from 'react'
import { Button } from '../../ui/button.tsx'
import { CodeBlock } from '../../ui/code-block.tsx'
import { CopyTextButton } from '../../ui/copy-button.tsx'
import { Dialog } from '../../ui/dialog.tsx'

export function NewKeyDialog({ created, onClose }: { created: NewApiKey; onClose: () => void }) {
  const copyButton = useRef<HTMLButtonElement>(null)
  useBlocker({ shouldBlockFn: () => true, enableBeforeUnload: true })
  return (
    <Dialog
      isOpen
      isUnmissable
      onClose={onClose}
      title={`Your new key: ${created.name}`}
      initialFocus={copyButton}
      footer={<Button onClick={onClose}>I have saved the key</Button>}
    >
      <div className="flex flex-col gap-4">
        <p className="flex gap-2 rounded-md bg-warn-soft px-3 py-2 text-warn">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          This is the only time that the key is shown. Save it now, where you keep passwords.
        </p>
        <div className="flex flex-wrap items-center gap-2">
          <code
            data-testid="new-key"
            className="min-w-0 flex-1 basis-64 rounded-md border border-line bg-sunken px-2.5 py-1.5 font-mono text-xs break-all select-all"
          >
            {created.key}
          </code>
          <CopyTextButton ref={copyButton} variant="primary" text={created.key}>
            Copy key
          </CopyTextButton>
        </div>
        <div className="flex flex-col gap-1">
          <p className="text-muted">For the curl commands of this app, and for your programs:</p>
          <CodeBlock label="The variable with the key" code={`export WRENN_API_KEY=${created.key}`} />
        </div>
      </div>
    </Dialog>
  )
}
