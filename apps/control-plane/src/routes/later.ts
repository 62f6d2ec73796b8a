// Operations of the contract that are not served yet: they answer 404. This list only shrinks.
import type { OperationId, PublicApi } from '@wrenn/contract'

export const laterOperations = ['watchFiles'] as const satisfies readonly OperationId<PublicApi>[]

export type LaterOperation = (typeof laterOperations)[number]

export function isServed({ id }: { id: string }): boolean {
  return !(laterOperations as readonly string[]).includes(id)
}
