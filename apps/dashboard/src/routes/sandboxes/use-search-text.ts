// The text of the filter: typed here, written to the URL, and taken from there when something else changes it (a link, the
// back button). Typing does not wait for the router.
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

const route = getRouteApi('/app/sandboxes')

export function useSearchText(): [string, (text: string) => void] {
  const { q = '' } = route.useSearch()
  const navigate = route.useNavigate()
  const [text, setText] = useState(q)
  // Written, and not seen in the URL yet: each may still come by while somebody types on.
  const ours = useRef<string[]>([])
  useEffect(() => {
    if (!ours.current.includes(q)) setText(q)
    else if (ours.current.at(-1) === q) ours.current = []
  }, [q])
  const write = (next: string): void => {
    setText(next)
    ours.current.push(next)
    void navigate({
      search: ({ q: _q, ...rest }) => (next === '' ? rest : { ...rest, q: next }),
      replace: true,
      resetScroll: false,
    })
  }
  return [text, write]
}
