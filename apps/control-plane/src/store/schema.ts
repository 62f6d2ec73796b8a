// The tables as Kysely sees them, in camelCase; the migrations beside this are the truth.
import type { ApiKeyId, HostId, SandboxId, SnapshotId, TeamId, UserId } from '@wrenn/base'
import type { SandboxStatus } from '@wrenn/contract/sandbox-can'
import type { ColumnType, Generated, Selectable } from 'kysely'

interface UserTable {
  id: UserId
  email: string
  /** Null: logs in through an OAuth provider only. */
  passwordHash: string | null
  createdAt: Generated<Date>
  disabledAt: Date | null
  sessionsFrom: Date | null
}

interface TeamTable {
  id: TeamId
  name: string
  createdAt: Generated<Date>
}

interface TeamMemberTable {
  teamId: TeamId
  userId: UserId
  role: 'owner' | 'member'
  createdAt: Generated<Date>
}

interface ApiKeyTable {
  id: ApiKeyId
  teamId: TeamId
  name: string
  keyHash: Buffer
  keyPrefix: string
  /** Null when that user is gone. */
  createdBy: UserId | null
  createdAt: Generated<Date>
  lastUsed: Date | null
}

interface OAuthProviderTable {
  provider: string
  providerId: string
  userId: UserId
  /** As the provider gave it when the account was made. */
  email: string
  createdAt: Generated<Date>
}

interface UsedOAuthStateTable {
  nonce: string
  expiresAt: Date
}

interface HostTable {
  id: HostId
  instanceId: string
  createdAt: Generated<Date>
}

/** Who did something, by name as it was then. */
export type Actor =
  | { kind: 'user'; id: UserId; name: string }
  | { kind: 'api_key'; id: ApiKeyId; name: string }

/** Written as JSON. */
type ActorColumn = ColumnType<Actor | null, string | null | undefined, string | null>

/** Written as JSON. */
type Metadata = ColumnType<Record<string, string>, string, never>

interface SandboxTable {
  id: SandboxId
  teamId: TeamId
  hostId: HostId
  status: SandboxStatus
  statusReason: string | null
  template: string
  vcpus: number
  memoryMb: number
  timeoutSec: number
  metadata: Metadata
  /** Of the agent's report that the row shows. A bigint: pg gives it as text. */
  generation: ColumnType<string, never, number>
  onTimeout: 'pause' | 'destroy'
  guestIp: string | null
  hostIp: string | null
  createdAt: Generated<Date>
  startedAt: Date | null
  /** Null while it is not paused. */
  pausedAt: Date | null
  lastActiveAt: Date | null
  lastUpdated: Generated<Date>
  leaseExpiresAt: Date | null
  leaseHolder: string | null
  /** What it is about to be, as far as its team's limits go. */
  reserved: 'running' | 'paused' | null
  reservedUntil: Date | null
  retentionWarnedAt: Date | null
  /** Of a change that is written with it, or asked for just now: a trigger takes it into the event of the change. */
  actor: ActorColumn
}

interface SnapshotTable {
  id: SnapshotId
  teamId: TeamId
  hostId: HostId
  sandboxId: SandboxId
  name: string
  status: 'pending' | 'ready' | 'deleting' | 'abandoned'
  /** Of the request that made it. */
  idempotencyKey: string | null
  /** The base template below it; empty until it is ready. */
  template: Generated<string>
  vcpus: number
  memoryMb: number
  /** A bigint: pg gives it as text. */
  sizeBytes: ColumnType<string, never, number>
  createdAt: ColumnType<Date, never, Date>
  leaseExpiresAt: Date | null
  leaseHolder: string | null
  /** Of the request that made it; null in those of an older version. */
  actor: ActorColumn
}

/** Written by a trigger on sandboxes. */
interface SandboxEventTable {
  /** A bigint: pg gives it as text. */
  id: ColumnType<string, never, never>
  sandboxId: SandboxId
  at: ColumnType<Date, never, never>
  type: 'created' | 'started' | 'paused' | 'resumed' | 'stopped' | 'failed'
  byKind: Actor['kind'] | 'platform'
  byId: string | null
  byName: string | null
  reason: string | null
}

interface BaseTemplateTable {
  hostId: HostId
  name: string
  hash: string
  /** A bigint: pg gives it as text. */
  sizeBytes: ColumnType<string, number, number>
  createdAt: ColumnType<Date, never, Date>
}

interface RateLimitTable {
  key: string
  used: number
  granted: number
  endsAt: Date
}

interface IdempotencyKeyTable {
  teamId: TeamId
  key: string
  requestHash: Buffer
  claim: string
  leaseExpiresAt: Date
  leaseHolder: string | null
  /** Written as JSON. Null while the first request runs. */
  answer: ColumnType<unknown, string | null, string | null>
  createdAt: Generated<Date>
}

export interface Tables {
  users: UserTable
  teams: TeamTable
  teamMembers: TeamMemberTable
  apiKeys: ApiKeyTable
  oauthProviders: OAuthProviderTable
  usedOauthStates: UsedOAuthStateTable
  hosts: HostTable
  sandboxes: SandboxTable
  sandboxEvents: SandboxEventTable
  snapshots: SnapshotTable
  baseTemplates: BaseTemplateTable
  rateLimits: RateLimitTable
  idempotencyKeys: IdempotencyKeyTable
}

export type ApiKeyRow = Selectable<ApiKeyTable>
export type SandboxRow = Selectable<SandboxTable>
export type SandboxEventRow = Selectable<SandboxEventTable>
export type SnapshotRow = Selectable<SnapshotTable>
export type BaseTemplateRow = Selectable<BaseTemplateTable>
