// What all form fields share: label, help, error. The error belongs to the control (aria-describedby, aria-invalid).
import { Field as Base } from '@base-ui/react/field'
import type { ReactNode } from 'react'

export interface FieldProps {
  label: string
  /** Sent with the form, and how errors of the server name it. */
  name?: string
  help?: ReactNode
  error?: string | undefined
  /** For rows of fields that one heading names: only assistive technology gets each one's own. */
  isLabelHidden?: boolean
}

export const controlStyle =
  'w-full min-w-0 rounded-md border border-control bg-surface px-2.5 text-ink placeholder:text-muted focus-visible:outline-offset-0 data-invalid:border-danger'

export function Field({
  label,
  name,
  help,
  error,
  isLabelHidden = false,
  children,
}: FieldProps & { children: ReactNode }) {
  return (
    <Base.Root
      {...(name === undefined ? {} : { name })}
      invalid={error !== undefined}
      className="flex min-w-0 flex-col gap-1"
    >
      <Base.Label className={isLabelHidden ? 'sr-only' : 'font-medium'}>{label}</Base.Label>
      {children}
      {help !== undefined && <Base.Description className="text-xs text-muted">{help}</Base.Description>}
      <Base.Error match={error !== undefined} className="text-xs text-danger">
        {error}
      </Base.Error>
    </Base.Root>
  )
}
