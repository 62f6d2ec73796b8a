// Every action of the app is one call of the API: this copies it, for a shell.
import type { ButtonSize, ButtonVariant } from './button.tsx'
import { CopyTextButton } from './copy-button.tsx'
import { curlCommand, type ApiCall } from '../lib/curl.ts'

export interface CopyAsCurlProps {
  /** As a function, for what is still being typed. */
  call: ApiCall | (() => ApiCall)
  size?: ButtonSize
  variant?: ButtonVariant
}

export function CopyAsCurl({ call, size = 'sm', variant = 'ghost' }: CopyAsCurlProps) {
  const command = (): string => curlCommand(typeof call === 'function' ? call() : call, location.origin)
  return (
    <CopyTextButton text={command} size={size} variant={variant}>
      Copy as curl
    </CopyTextButton>
  )
}
