// Sizes. Names carry their unit (`memoryMib`, `sizeBytes`); these convert between them.

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
