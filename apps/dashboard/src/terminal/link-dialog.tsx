// A link that a program in the sandbox has written, with a text of its own choice: shows where it goes before it goes there.
import { ExternalLink } from 'lucide-react'
import { Button, buttonStyle } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'

export function LinkDialog({ url, onClose }: { url: string; onClose: () => void }) {
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Open this link?"
      description="A program in the sandbox has written it. It leads away from Wrenn."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <a
            href={url}
            target="_blank"
            rel="noopener noreferrer"
            onClick={onClose}
            className={buttonStyle('primary', 'md')}
          >
            <ExternalLink aria-hidden className="size-4" />
            Open in a new tab
          </a>
        </>
      }
    >
      <p className="font-mono text-xs [overflow-wrap:anywhere]">{url}</p>
    </Dialog>
  )
}
