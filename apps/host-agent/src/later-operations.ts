// Operations of the agent's contract that are being built. They answer 404 until then. This list may only shrink.
import type { HostAgentApi, OperationId } from '@wrenn/contract'

export const laterOperations = [
  'pauseSandbox',
  'resumeSandbox',
  'touchSandbox',
  'listSnapshots',
  'createSnapshot',
  'deleteSnapshot',
  'suspend',
] as const satisfies readonly OperationId<HostAgentApi>[]

export type LaterOperation = (typeof laterOperations)[number]
