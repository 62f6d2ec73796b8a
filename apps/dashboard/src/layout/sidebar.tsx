// The navigation of wide screens, with team, user and theme at its foot.
import { Link } from '@tanstack/react-router'
import { Logo } from './logo.tsx'
import { Navigation } from './navigation.tsx'
import { UserMenu } from './user-menu.tsx'

export function Sidebar() {
  return (
    <aside className="sticky top-0 flex h-dvh flex-col gap-4 border-r border-line p-3 max-md:hidden">
      <Link to="/sandboxes" aria-label="Wrenn, home" className="self-start rounded-md px-1.5 py-1">
        <Logo />
      </Link>
      <div className="flex-1">
        <Navigation />
      </div>
      <UserMenu />
    </aside>
  )
}
