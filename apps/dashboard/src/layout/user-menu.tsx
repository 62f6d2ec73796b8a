// Who is signed in, for which team; the theme; signing out.
import { Menu } from '@base-ui/react/menu'
import { useQuery } from '@tanstack/react-query'
import { ChevronsUpDown, LogOut } from 'lucide-react'
import { meQuery } from '../data/queries.ts'
import { useClient } from '../session/client.ts'
import { sessions } from '../session/session.ts'
import { setThemeChoice, themeChoices, useThemeChoice, type ThemeChoice } from '../theme/theme.ts'
import { menuItem, MenuPopup } from '../ui/menu.tsx'

const themeNames: Readonly<Record<ThemeChoice, string>> = { light: 'Light', dark: 'Dark', system: 'System' }

export function UserMenu() {
  const { wrenn, session } = useClient()
  const me = useQuery(meQuery(wrenn))
  const theme = useThemeChoice()
  const email = me.data?.user?.email ?? session.email
  const team = me.data?.team.name ?? session.teamId
  return (
    <Menu.Root>
      <Menu.Trigger className="flex w-full items-center gap-2 rounded-md border border-line bg-surface px-2.5 py-1.5 text-left hover:bg-hover">
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">{team}</span>
          <span className="block truncate text-xs text-muted">{email}</span>
        </span>
        <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-muted" />
      </Menu.Trigger>
      <MenuPopup side="top" align="start">
        <Menu.Group>
          <Menu.GroupLabel className="px-2.5 pt-1.5 pb-1 text-xs text-muted">Theme</Menu.GroupLabel>
          <Menu.RadioGroup value={theme} onValueChange={(value: ThemeChoice) => setThemeChoice(value)}>
            {themeChoices.map((choice) => (
              <Menu.RadioItem key={choice} value={choice} className={menuItem}>
                <span className="flex-1">{themeNames[choice]}</span>
                <Menu.RadioItemIndicator aria-hidden>✓</Menu.RadioItemIndicator>
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        </Menu.Group>
        <Menu.Separator className="my-1 h-px bg-line" />
        <Menu.Item className={menuItem} onClick={() => sessions.end('signed_out', session.token)}>
          <LogOut aria-hidden className="size-4" />
          Sign out
        </Menu.Item>
      </MenuPopup>
    </Menu.Root>
  )
}
