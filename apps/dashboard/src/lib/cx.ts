/** Class names of those that are given: `cx('p-2', isActive && 'font-medium')`. */
export function cx(...names: readonly (string | false | undefined)[]): string {
  return names.filter(Boolean).join(' ')
}
