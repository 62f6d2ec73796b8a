// What is known to have changed, until it is read: each thing once. What changes while it is being read is read again.
import type { SandboxId, TeamId } from '@wrenn/base'
import type { Change } from '../../store/changes.ts'
import { baseTemplatesByNames, sandboxesByIds, snapshotsByNames } from '../../store/changed-rows.ts'
import type { Database } from '../../store/database.ts'
import type { SandboxRow } from '../../store/schema.ts'
import type { TeamEvent } from './mailbox.ts'

interface OfTeam {
  teamId: TeamId
  name: string
}

/** To a team, or to all of them. */
export interface Telling {
  teamId: TeamId | undefined
  event: TeamEvent
}

export class Changed {
  readonly #sandboxes = new Set<SandboxId>()
  readonly #gone = new Map<SandboxId, SandboxRow>()
  readonly #snapshots = new Map<string, OfTeam>()
  readonly #baseTemplates = new Set<string>()

  get isEmpty(): boolean {
    const sizes = [this.#sandboxes, this.#gone, this.#snapshots, this.#baseTemplates].map(({ size }) => size)
    return sizes.every((size) => size === 0)
  }

  add(change: Change): void {
    if (change.kind === 'gone') this.#gone.set(change.row.id, change.row)
    else if (change.kind !== 'template') this.#sandboxes.add(change.id)
    else if (change.teamId === undefined) this.#baseTemplates.add(change.name)
    else {
      const { teamId, name } = change
      this.#snapshots.set(`${teamId} ${name}`, { teamId, name })
    }
  }

  /** All of `other`, unless it is here. */
  addAll(other: Changed): void {
    for (const id of other.#sandboxes) this.#sandboxes.add(id)
    for (const [id, row] of other.#gone) this.#gone.set(id, row)
    for (const [key, snapshot] of other.#snapshots) this.#snapshots.set(key, snapshot)
    for (const name of other.#baseTemplates) this.#baseTemplates.add(name)
  }

  /** How all of it is now. */
  async read(db: Database): Promise<Telling[]> {
    const tellings = await Promise.all([this.#readSandboxes(db), this.#readSnapshots(db), this.#readBase(db)])
    // After what was read: that may be from a moment before.
    return [...tellings.flat(), ...[...this.#gone.values()].map(goneTelling)]
  }

  async #readSandboxes(db: Database): Promise<Telling[]> {
    const rows = await sandboxesByIds(db, [...this.#sandboxes])
    return rows.map((row) => ({ teamId: row.teamId, event: { kind: 'sandbox', row } }))
  }

  async #readSnapshots(db: Database): Promise<Telling[]> {
    const asked = [...this.#snapshots.values()]
    const teamIds = [...new Set(asked.map(({ teamId }) => teamId))]
    const names = [...new Set(asked.map(({ name }) => name))]
    const rows = await snapshotsByNames(db, { teamIds, names })
    const found = new Map(rows.map((row) => [`${row.teamId} ${row.name}`, row]))
    return asked.map(({ teamId, name }) => {
      const row = found.get(`${teamId} ${name}`)
      return { teamId, event: row ? { kind: 'snapshot', row } : { kind: 'templateDeleted', name } }
    })
  }

  async #readBase(db: Database): Promise<Telling[]> {
    const names = [...this.#baseTemplates]
    const found = new Map((await baseTemplatesByNames(db, names)).map((row) => [row.name, row]))
    return names.map((name) => {
      const row = found.get(name)
      const event: TeamEvent = row ? { kind: 'baseTemplate', row } : { kind: 'templateDeleted', name }
      return { teamId: undefined, event }
    })
  }
}

/** To its team it ends as all do. */
function goneTelling(row: SandboxRow): Telling {
  const statusReason = 'It could not be created.'
  const event: TeamEvent = { kind: 'sandbox', row: { ...row, status: 'stopped', statusReason } }
  return { teamId: row.teamId, event }
}
