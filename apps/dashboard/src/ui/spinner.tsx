export function Spinner() {
  return (
    <svg viewBox="0 0 16 16" aria-hidden className="size-4 animate-spin">
      <circle cx="8" cy="8" r="6" fill="none" strokeWidth="2" className="stroke-current opacity-25" />
      <path
        d="M14 8a6 6 0 0 0-6-6"
        fill="none"
        strokeWidth="2"
        strokeLinecap="round"
        className="stroke-current"
      />
    </svg>
  )
}
