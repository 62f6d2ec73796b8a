// Times and sizes as people read them. Pure: the components of ui/ show them.

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
]

/** The two largest units: "45 s", "2 min 30 s", "3 h", "2 d 4 h". Less than a second is "0 s". */
export function formatDuration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds))
  const at = units.findIndex(([, size]) => rest >= size)
  if (at === -1) return '0 s'
  const parts: string[] = []
  for (const [unit, size] of units.slice(at, at + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count} ${unit}`)
  }
  return parts.join(' ')
}

/** The largest unit alone: "just now", "5 min ago", "in 2 h". */
export function formatRelative(atMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - atMs) / 1_000)
  const distance = Math.abs(seconds)
  // Clocks differ a little: what has just happened never lies ahead.
  if (distance < 5) return 'just now'
  const [unit, size] = units.find(([, size]) => distance >= size) ?? ['s', 1]
  const text = `${Math.floor(distance / size)} ${unit}`
  return seconds > 0 ? `${text} ago` : `in ${text}`
}

/** Binary units: "512 B", "1.5 KiB", "20 MiB". */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let at = 0
  while (value >= 1_024 && at < names.length - 1) {
    value /= 1_024
    at += 1
  }
  const digits = at === 0 || value >= 100 || Number.isInteger(value) ? 0 : 1
  return `${value.toFixed(digits)} ${names[at]}`
}

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** In full, in the reader's own time zone and language. */
export function formatDateTime(at: string | number): string {
  return dateTime.format(new Date(at))
}
