// Code or output, as it is, with a button to copy it.
import { CopyButton } from './copy-button.tsx'

export interface CodeBlockProps {
  code: string
  /** What it is: "The command", for the button and for assistive technology. */
  label: string
}

export function CodeBlock({ code, label }: CodeBlockProps) {
  return (
    <div className="relative rounded-md border border-line bg-sunken">
      <pre
        tabIndex={0}
        role="region"
        aria-label={label}
        className="overflow-x-auto py-2.5 pr-12 pl-3 font-mono text-xs leading-relaxed"
      >
        <code>{code}</code>
      </pre>
      <div className="absolute top-1 right-1 rounded-md bg-sunken">
        <CopyButton text={code} label={`Copy ${label.charAt(0).toLowerCase()}${label.slice(1)}`} />
      </div>
    </div>
  )
}
