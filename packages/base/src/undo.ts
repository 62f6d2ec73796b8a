// Acquire, then at once register the undo. When a later step throws, everything is undone, newest first.

export class UndoStack {
  #steps: { name: string; undo: () => Promise<void> | void }[] = []

  /** Waits for `resource` and remembers how to give it back. */
  async acquire<T>(
    name: string,
    resource: Promise<T> | T,
    undo: (resource: T) => Promise<void> | void,
  ): Promise<T> {
    const acquired = await resource
    this.#steps.push({ name, undo: () => undo(acquired) })
    return acquired
  }

  /** For steps that may fail half-way: registers an undo that copes with nothing to do, before the step. */
  defer(name: string, undo: () => Promise<void> | void): void {
    this.#steps.push({ name, undo })
  }

  /** Everything went well: nothing will be undone any more. */
  keep(): void {
    this.#steps = []
  }

  /** Undoes every step, newest first. A failing undo does not stop the others; all failures come back. */
  async undoAll(): Promise<{ name: string; error: unknown }[]> {
    const failures: { name: string; error: unknown }[] = []
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.undo()
      } catch (error) {
        failures.push({ name: step.name, error })
      }
    }
    return failures
  }
}
