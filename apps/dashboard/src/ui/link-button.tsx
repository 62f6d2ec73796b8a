// A link that looks like a button: for going somewhere, where a button does something.
import { createLink } from '@tanstack/react-router'
import type { LucideIcon } from 'lucide-react'
import type { ComponentPropsWithRef } from 'react'
import { cx } from '../lib/cx.ts'
import { buttonStyle, type ButtonSize, type ButtonVariant } from './button.tsx'

interface AnchorProps extends ComponentPropsWithRef<'a'> {
  variant?: ButtonVariant
  size?: ButtonSize
  icon?: LucideIcon
}

function Anchor({
  variant = 'secondary',
  size = 'md',
  icon: Icon,
  className,
  children,
  ...rest
}: AnchorProps) {
  return (
    <a {...rest} className={cx(buttonStyle(variant, size), className)}>
      {Icon && <Icon aria-hidden className="size-4" />}
      {children}
    </a>
  )
}

/** Takes what `Link` of the router takes: `to`, `params`, `search`. */
export const LinkButton = createLink(Anchor)
