// Around every page: where focus goes when the page changes, so that whoever does not see the screen notices it.
import { Outlet, useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'

export function RootLayout() {
  const router = useRouter()
  useEffect(() => {
    let shown = pageOf(location.pathname)
    return router.subscribe('onRendered', () => {
      const page = pageOf(location.pathname)
      if (page === shown) return
      shown = page
      // Not into a dialog or a field that has taken it already.
      if (document.activeElement?.matches('input, textarea, [role=dialog] *')) return
      const target = document.querySelector<HTMLElement>('h1') ?? document.querySelector<HTMLElement>('main')
      target?.focus({ preventScroll: true })
    })
  }, [router])
  return <Outlet />
}

/** Tabs of one sandbox are one page. */
function pageOf(path: string): string {
  return path.split('/').slice(0, 3).join('/')
}
