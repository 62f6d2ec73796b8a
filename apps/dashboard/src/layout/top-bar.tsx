// The navigation of narrow screens: a bar with a button that opens the drawer.
import { Dialog } from '@base-ui/react/dialog'
import { Menu, X } from 'lucide-react'
import { useState } from 'react'
import { IconButton } from '../ui/icon-button.tsx'
import { Logo } from './logo.tsx'
import { Navigation } from './navigation.tsx'
import { UserMenu } from './user-menu.tsx'

export function TopBar() {
  const [isOpen, setIsOpen] = useState(false)
  return (
    <div className="flex items-center justify-between border-b border-line px-4 py-2 md:hidden">
      <Logo />
      <Dialog.Root open={isOpen} onOpenChange={setIsOpen}>
        <Dialog.Trigger render={<IconButton label="Menu" icon={Menu} />} />
        <Dialog.Portal>
          <Dialog.Backdrop className="fixed inset-0 bg-scrim" />
          <Dialog.Popup className="fixed inset-y-0 right-0 flex w-72 max-w-[85vw] flex-col gap-4 border-l border-line bg-canvas p-4">
            <div className="flex items-center justify-between">
              <Dialog.Title className="font-semibold">Menu</Dialog.Title>
              <Dialog.Close render={<IconButton label="Close the menu" icon={X} />} />
            </div>
            <div className="flex-1">
              <Navigation onNavigate={() => setIsOpen(false)} />
            </div>
            <UserMenu />
          </Dialog.Popup>
        </Dialog.Portal>
      </Dialog.Root>
    </div>
  )
}
