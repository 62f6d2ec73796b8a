// Says that what is shown may be old, while the event stream is down. Nothing is to be done: it comes back by itself.
import { WifiOff } from 'lucide-react'
import type { Connection } from '../live/use-live.ts'

export function ConnectionNotice({ connection }: { connection: Connection }) {
  return (
    <div role="status" className="contents">
      {connection === 'lost' && (
        <p className="flex items-center gap-2 border-b border-line bg-warn-soft px-4 py-1.5 text-warn sm:px-6">
          <WifiOff aria-hidden className="size-4" />
          Reconnecting… What you see may be out of date.
        </p>
      )}
    </div>
  )
}
