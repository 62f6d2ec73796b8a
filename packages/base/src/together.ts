// Structured concurrency for work that must be undone: unlike Promise.all, nothing still runs when it throws.

/**
 * Runs the tasks side by side. When one fails, the signal that all were given aborts with its error; when all have
 * ended, that error is thrown.
 */
export async function together(
  tasks: readonly ((signal: AbortSignal) => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(either)
      } catch (error) {
        failed.abort(error)
      }
    }),
  )
  if (failed.signal.aborted) throw failed.signal.reason
}
