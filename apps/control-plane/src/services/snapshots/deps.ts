// What the snapshot services work with.
import type { SnapshotId } from '@wrenn/base'
import type { Leases } from '../leases.ts'
import type { SandboxDeps } from '../sandboxes/deps.ts'

export interface SnapshotDeps extends SandboxDeps {
  snapshotLeases: Leases<SnapshotId>
}
