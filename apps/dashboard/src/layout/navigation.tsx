// The links of the app, for the sidebar and the drawer.
import { Link } from '@tanstack/react-router'
import { BookOpen, Box, KeyRound, Layers, Rocket, type LucideIcon } from 'lucide-react'
import type { Page } from '../paths.ts'

const links = [
  { to: '/sandboxes', label: 'Sandboxes', icon: Box },
  { to: '/snapshots', label: 'Snapshots', icon: Layers },
  { to: '/api-keys', label: 'API keys', icon: KeyRound },
  { to: '/start', label: 'Get started', icon: Rocket },
] as const satisfies readonly { to: Page; label: string; icon: LucideIcon }[]

const style =
  'flex items-center gap-2.5 rounded-md px-2.5 py-1.5 text-muted hover:bg-hover hover:text-ink aria-[current=page]:bg-hover aria-[current=page]:font-medium aria-[current=page]:text-ink'

export function Navigation({ onNavigate }: { onNavigate?: () => void }) {
  return (
    <nav aria-label="Main">
      <ul className="flex flex-col gap-0.5">
        {links.map(({ to, label, icon: Icon }) => (
          <li key={label}>
            <Link to={to} className={style} onClick={onNavigate}>
              <Icon aria-hidden className="size-4" />
              {label}
            </Link>
          </li>
        ))}
        <li>
          <a href="/docs" target="_blank" rel="noreferrer" className={style}>
            <BookOpen aria-hidden className="size-4" />
            API reference
            <span className="sr-only">(opens in a new tab)</span>
          </a>
        </li>
      </ul>
    </nav>
  )
}
