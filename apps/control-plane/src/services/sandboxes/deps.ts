// What the sandbox services work with.
import type { Logger, SandboxId, TeamLimits } from '@wrenn/base'
import type { Hosts } from '../../hosts/hosts.ts'
import type { Database } from '../../store/database.ts'
import type { BackgroundBatch } from '../background-batch.ts'
import type { Leases } from '../leases.ts'

export interface SandboxDeps {
  db: Database
  hosts: Hosts
  leases: Leases<SandboxId>
  limits: TeamLimits
  /** Sets last_active_at, soon. */
  activity: BackgroundBatch<SandboxId>
  /** Something looks different from what the database says: compare now. */
  reconcileSoon: () => void
  logger: Logger
}
