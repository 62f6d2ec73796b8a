// Text that is here, as a file of the user's.

export function saveText(texts: readonly string[], name: string): void {
  const url = URL.createObjectURL(new Blob([...texts], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The download has its own reference by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
