// Where something is loading. Only after a moment, so that what comes at once does not flicker.
export function Skeleton({ label = 'Loading', rows = 3 }: { label?: string; rows?: number }) {
  return (
    <div role="status" className="flex flex-col gap-2.5">
      <span className="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} aria-hidden className="h-9 animate-pulse rounded-md bg-sunken" />
      ))}
    </div>
  )
}
