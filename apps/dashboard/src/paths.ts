// Every page's path. The router is made of these, and the build tells the control plane which paths get the app with 200.
// `$…` stands for one segment. Imports nothing: the build reads it with Node.

export const pages = [
  '/',
  '/sign-in',
  '/sign-up',
  '/auth/$provider/callback',
  '/sandboxes',
  '/sandboxes/$id',
  '/sandboxes/$id/run',
  '/sandboxes/$id/files',
  '/sandboxes/$id/metrics',
  '/sandboxes/$id/history',
  '/sandboxes/$id/details',
  '/snapshots',
  '/api-keys',
  '/start',
] as const

export type Page = (typeof pages)[number]
