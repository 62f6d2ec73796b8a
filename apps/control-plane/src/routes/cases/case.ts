// What each operation of the contract must show in a test: one call for each status that it documents. The files beside
// this one hold the calls, a file for each group of operations; ../coverage.test.ts sends them and judges the answers.
import type { OperationId, PublicApi } from '@wrenn/contract'
import type { Account, Api, ApiCall } from '../../../../../test/support/api.ts'
import type { Platform } from '../../../../../test/support/control-plane.ts'

export type Id = OperationId<PublicApi>

/** A call that waits to be sent, to `at` or else to the platform's own control plane. */
export interface PreparedCall extends ApiCall {
  at?: Api
}

/** Prepares what an answer needs, and returns the call that gets it. */
export type Prepare = (given: Given) => PreparedCall | Promise<PreparedCall>

/** What a case may use. Faults of the agent are healed after each. */
export interface Given {
  platform: Platform
  owner: Account
  /** The operation's own call that succeeds: the case of its first status. */
  good: () => Promise<PreparedCall>
  /** Ids of new sandboxes of the owner's. */
  running: () => Promise<string>
  paused: () => Promise<string>
  stopped: () => Promise<string>
  /** Other control planes of the same platform: each lets one thing be seen. */
  planes: Planes
}

export interface Planes {
  /** Every rate limit lets one use through. */
  limited: Api
  /** Its teams may keep nothing. */
  full: Api
  /** Nobody may sign up. */
  closed: Api
  /** Its database does not answer. */
  withoutDatabase: Api
  /** Its agent does not answer. */
  withoutAgent: Api
  /** Has the providers `github` and `silent`; the others have none. */
  withOAuth: Api
}

type Operation<Name extends Id> = PublicApi['operations'][Name]

/** A crash cannot be asked for: packages/http tests what is answered to one. */
type Demanded<Name extends Id> = Exclude<keyof Operation<Name>['responses'], 500>

type IsOpen<Name extends Id> = [PublicApi['security'][Name]] extends [never] ? true : false

/** What another team gets for the owner's call. */
type Foreign = 'not_found' | 'own data only' | 'no effect'

export type CasesOf<Name extends Id> = {
  answers: Record<Demanded<Name>, Prepare>
} & (IsOpen<Name> extends true ? { foreign?: never } : { foreign: Foreign })

/** An operation or a status that the contract gains does not compile without a case. */
export type Cases = { [Name in Id]: CasesOf<Name> }
