// Copies a text, and says so.
import { Check, Copy } from 'lucide-react'
import { useRef, useState } from 'react'
import { Button, type ButtonProps } from './button.tsx'
import { IconButton } from './icon-button.tsx'
import { notify } from './toasts.tsx'

const saidMs = 2_000

/** `copy` writes to the clipboard; `isCopied` for two seconds after that. */
function useCopy(text: string | (() => string)): { copy: () => void; isCopied: boolean } {
  const [isCopied, setIsCopied] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const showCopied = (): void => {
    setIsCopied(true)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setIsCopied(false), saidMs)
  }
  const copy = (): void => {
    writeClipboard(typeof text === 'string' ? text : text()).then(showCopied, (error: unknown) =>
      notify.failed('Could not copy', error),
    )
  }
  return { copy, isCopied }
}

/** For menus: a notice says that it is copied. */
export function copyText(text: string): void {
  writeClipboard(text).then(
    () => notify.done('Copied'),
    (error: unknown) => notify.failed('Could not copy', error),
  )
}

/** The clipboard is there on https and localhost only (W3C Clipboard API, "secure context"). */
export async function writeClipboard(text: string): Promise<void> {
  if (!isSecureContext)
    throw new Error('Browsers let pages copy over https and on localhost only. Select the text and copy it.')
  await navigator.clipboard.writeText(text)
}

/** An icon only. `label`: what is copied, "Copy the id". */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const { copy, isCopied } = useCopy(text)
  return (
    <>
      <IconButton label={label} icon={isCopied ? Check : Copy} onClick={copy} />
      <span role="status" className="sr-only">
        {isCopied && 'Copied'}
      </span>
    </>
  )
}

export function CopyTextButton({
  text,
  children,
  ...rest
}: Omit<ButtonProps, 'icon' | 'onClick'> & { text: string | (() => string) }) {
  const { copy, isCopied } = useCopy(text)
  return (
    <>
      <Button {...rest} icon={isCopied ? Check : Copy} onClick={copy}>
        {children}
      </Button>
      <span role="status" className="sr-only">
        {isCopied && 'Copied'}
      </span>
    </>
  )
}
