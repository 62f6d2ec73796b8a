// One line of text, or with `rows` several.
import { Field as Base } from '@base-ui/react/field'
import type { ComponentPropsWithRef } from 'react'
import { cx } from '../lib/cx.ts'
import { controlStyle, Field, type FieldProps } from './field.tsx'

/** As in the terminal; at 14 px Chromium cuts the underscores of Liberation Mono, which Linux has, off in a field. */
const mono = 'font-mono text-[0.8125rem]'

export interface TextFieldProps
  extends FieldProps, Omit<ComponentPropsWithRef<'input'>, 'name' | 'value' | 'onChange' | 'defaultValue'> {
  value: string
  onChange: (value: string) => void
  /** More than one line. */
  rows?: number
  isMono?: boolean
}

export function TextField({
  label,
  name,
  help,
  error,
  isLabelHidden = false,
  value,
  onChange,
  rows,
  isMono = false,
  className,
  ...rest
}: TextFieldProps) {
  const style = cx(controlStyle, rows === undefined ? 'h-8' : 'py-1.5', isMono && mono, className)
  return (
    <Field
      label={label}
      {...(name === undefined ? {} : { name })}
      help={help}
      error={error}
      isLabelHidden={isLabelHidden}
    >
      <Base.Control
        {...rest}
        value={value}
        onValueChange={onChange}
        className={style}
        {...(rows === undefined ? {} : { render: <textarea rows={rows} /> })}
      />
    </Field>
  )
}
