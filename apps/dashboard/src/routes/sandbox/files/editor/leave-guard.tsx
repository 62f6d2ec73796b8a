// Asks before a text that is not saved is left. Not when the session has ended: then it is kept until one is back.
import { useBlocker } from '@tanstack/react-router'
import { useRef } from 'react'
import { sessions } from '../../../../session/session.ts'
import { Button } from '../../../../ui/button.tsx'
import { Dialog } from '../../../../ui/dialog.tsx'

export interface LeaveGuardProps {
  isDirty: boolean
  onDiscard: () => void
}

export function LeaveGuard({ isDirty, onDiscard }: LeaveGuardProps) {
  const stay = useRef<HTMLButtonElement>(null)
  const blocker = useBlocker({
    shouldBlockFn: () => isDirty && sessions.current !== undefined,
    enableBeforeUnload: isDirty,
    withResolver: true,
  })
  if (blocker.status !== 'blocked') return null
  return (
    <Dialog
      isOpen
      onClose={blocker.reset}
      title="Leave without saving?"
      initialFocus={stay}
      footer={
        <>
          <Button
            variant="danger"
            onClick={() => {
              onDiscard()
              blocker.proceed()
            }}
          >
            Discard the changes
          </Button>
          <Button ref={stay} variant="primary" onClick={blocker.reset}>
            Keep editing
          </Button>
        </>
      }
    >
      <p>What you have typed in this file is not saved yet.</p>
    </Dialog>
  )
}
