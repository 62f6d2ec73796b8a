// What a sandbox can be made from on this host: base templates, by their goldens, and snapshots.
import type { Goldens } from './goldens.ts'
import type { UseTemplate } from './sandbox.ts'
import type { Snapshots } from './snapshots.ts'

export class Templates {
  readonly goldens: Pick<Goldens, 'use'>
  readonly snapshots: Snapshots

  constructor(goldens: Pick<Goldens, 'use'>, snapshots: Snapshots) {
    this.goldens = goldens
    this.snapshots = snapshots
  }

  /** Throws `not_found` when there is no such template. */
  use: UseTemplate = (spec, work, signal) =>
    spec.snapshot === undefined
      ? this.goldens.use(spec, work, signal)
      : this.snapshots.use(spec.snapshot, work)
}
