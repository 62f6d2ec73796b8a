// There is nothing yet: what would be here, and the way to get it.
import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

export interface EmptyStateProps {
  icon: LucideIcon
  title: string
  /** The page's own heading, where there is no other. Default: below the page's heading. */
  headingLevel?: 1 | 2
  action?: ReactNode
  children?: ReactNode
}

export function EmptyState({ icon: Icon, title, headingLevel = 2, action, children }: EmptyStateProps) {
  const Heading = `h${headingLevel}` as const
  return (
    <div className="flex flex-col items-center gap-2 rounded-lg border border-dashed border-line px-6 py-14 text-center">
      <Icon aria-hidden className="size-7 text-muted" strokeWidth={1.5} />
      <Heading tabIndex={-1} className="text-base font-medium">
        {title}
      </Heading>
      {children !== undefined && <div className="max-w-prose text-muted">{children}</div>}
      {action !== undefined && <div className="mt-3">{action}</div>}
    </div>
  )
}
