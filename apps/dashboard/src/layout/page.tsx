// The frame of a page behind the sign-in: its heading with actions beside it, and the document's title.
import { useEffect, type ReactNode } from 'react'

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Wrenn`
  }, [title])
}

export interface PageProps {
  /** The heading, and the document's title unless that is given. */
  title: string
  documentTitle?: string
  /** In place of the heading's text, where it is more than text. */
  heading?: ReactNode
  description?: ReactNode
  /** Buttons, at the right. */
  actions?: ReactNode
  children: ReactNode
}

export function Page({ title, documentTitle, heading, description, actions, children }: PageProps) {
  useTitle(documentTitle ?? title)
  return (
    <div className="mx-auto flex w-full max-w-7xl flex-col gap-4 px-4 py-5 sm:px-6">
      <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
        <div className="min-w-0">
          <h1 tabIndex={-1} className="text-xl font-semibold tracking-tight [overflow-wrap:anywhere]">
            {heading ?? title}
          </h1>
          {description !== undefined && <div className="mt-0.5 text-muted">{description}</div>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  )
}
