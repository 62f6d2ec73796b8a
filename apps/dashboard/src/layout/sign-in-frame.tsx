// Around the pages before the sign-in.
import type { ReactNode } from 'react'
import { Logo } from './logo.tsx'
import { useTitle } from './page.tsx'

export function SignInFrame({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title)
  return (
    <main
      id="content"
      tabIndex={-1}
      className="flex min-h-dvh flex-col items-center justify-center px-4 py-10"
    >
      <div className="flex w-full max-w-sm flex-col gap-6">
        <div className="self-center">
          <Logo />
        </div>
        <div className="flex flex-col gap-4 rounded-lg border border-line bg-surface p-6">
          <h1 tabIndex={-1} className="text-lg font-semibold tracking-tight">
            {title}
          </h1>
          {children}
        </div>
      </div>
    </main>
  )
}
