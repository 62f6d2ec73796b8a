// Why the control plane cannot start, in a line for the operator. Starting again without a change is of no use.

export class StartError extends Error {
  constructor(message: string, options?: { cause: unknown }) {
    super(message, options)
    this.name = 'StartError'
  }
}

/** `EX_CONFIG` of sysexits(3): the settings are wrong. A supervisor does not start the process again. */
export const exitBadSettings = 78
