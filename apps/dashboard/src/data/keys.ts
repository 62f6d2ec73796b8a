// The names of what is in the query cache. data/queries.ts reads under them, live/ changes what lies there.
export const keys = {
  providers: ['providers'],
  me: ['me'],
  sandboxes: ['sandboxes'],
  sandbox: (id: string) => ['sandbox', id],
  /** Its history: read again after each change of the sandbox. */
  sandboxEvents: (id: string) => ['sandbox-events', id],
  templates: ['templates'],
  apiKeys: ['api-keys'],
  health: ['health'],
} as const
