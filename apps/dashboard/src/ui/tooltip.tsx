// A few words about a control, on hover and focus. It is for the eye only: the control's own label or description says
// the same to assistive technology.
import { Tooltip as Base } from '@base-ui/react/tooltip'
import type { ReactElement } from 'react'

export function Tooltip({ text, children }: { text: string; children: ReactElement }) {
  return (
    <Base.Root>
      <Base.Trigger delay={300} render={children} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} className="z-30">
          <Base.Popup
            aria-hidden
            className="max-w-72 rounded-md bg-ink px-2 py-1 text-xs text-canvas shadow-popup"
          >
            {text}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
