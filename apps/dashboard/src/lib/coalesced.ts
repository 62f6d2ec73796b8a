// Work that is asked for more often than it is worth doing.

/**
 * Returns a function that asks for `work`: soon, never twice at a time, and once more when it was asked for meanwhile.
 * `work` does not throw.
 */
export function coalesced(
  work: () => Promise<unknown>,
  pauseMs: number,
): { ask: () => void; stop: () => void } {
  let isAsked = false
  let isBusy = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const run = async (): Promise<void> => {
    timer = undefined
    isAsked = false
    isBusy = true
    await work()
    isBusy = false
    if (isAsked) schedule()
  }
  const schedule = (): void => {
    timer ??= setTimeout(() => void run(), pauseMs)
  }
  return {
    ask: () => {
      isAsked = true
      if (!isBusy) schedule()
    },
    stop: () => clearTimeout(timer),
  }
}
