// Asks for one name or path, does something with it, and stays open with the error when that fails.
import { useMutation } from '@tanstack/react-query'
import { useId, useRef, useState, type FocusEvent, type FormEvent, type ReactNode } from 'react'
import type { ApiCall } from '../../../lib/curl.ts'
import { Button } from '../../../ui/button.tsx'
import { CopyAsCurl } from '../../../ui/copy-as-curl.tsx'
import { Dialog } from '../../../ui/dialog.tsx'
import { InlineError } from '../../../ui/error-state.tsx'
import { TextField } from '../../../ui/text-field.tsx'

export interface NameDialogProps {
  title: string
  label: string
  initial?: string
  help?: ReactNode
  confirmLabel: string
  /** Undefined when it will do. */
  problem: (value: string) => string | undefined
  call: (value: string) => ApiCall
  /** Closed when it is done. What it throws is shown. */
  onSubmit: (value: string) => Promise<unknown>
  onClose: () => void
}

export function NameDialog({
  title,
  label,
  initial = '',
  help,
  confirmLabel,
  problem,
  call,
  onSubmit,
  onClose,
}: NameDialogProps) {
  const formId = useId()
  const [value, setValue] = useState(initial)
  const [isTried, setIsTried] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const isSelected = useRef(false)
  const work = useMutation({ mutationFn: onSubmit, onSuccess: onClose })
  const wrong = problem(value)
  const selectOnce = ({ currentTarget }: FocusEvent<HTMLInputElement>): void => {
    if (isSelected.current) return
    isSelected.current = true
    // All but the ending: that is what is seldom changed.
    const dot = initial.lastIndexOf('.')
    currentTarget.setSelectionRange(0, dot > 0 ? dot : initial.length)
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setIsTried(true)
    if (wrong === undefined && !work.isPending) work.mutate(value)
  }
  return (
    <Dialog
      isOpen
      onClose={() => {
        if (!work.isPending) onClose()
      }}
      title={title}
      initialFocus={field}
      footer={
        <>
          <span className="mr-auto -ml-2.5">
            <CopyAsCurl call={() => call(value)} />
          </span>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} variant="primary" isBusy={work.isPending}>
            {confirmLabel}
          </Button>
        </>
      }
    >
      <form id={formId} noValidate onSubmit={submit} className="flex flex-col gap-3">
        <TextField
          ref={field}
          onFocus={selectOnce}
          label={label}
          isMono
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={setValue}
          help={help}
          error={isTried ? wrong : undefined}
          // A field of one line would lose what stands after the first.
          {...(initial.includes('\n') ? { rows: initial.split('\n').length } : {})}
        />
        {work.error && <InlineError error={work.error} />}
      </form>
    </Dialog>
  )
}
