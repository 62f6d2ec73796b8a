// Operations of the contract that later work brings. They answer 404 until then. This list may only shrink.
import type { OperationId, PublicApi } from '@wrenn/contract'

export const laterOperations = [
  'createSnapshot',
  'listSnapshots',
  'deleteSnapshot',
] as const satisfies readonly OperationId<PublicApi>[]

export type LaterOperation = (typeof laterOperations)[number]
