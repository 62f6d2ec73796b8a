// Ways to an answer that are the same for many operations: each changes the operation's own good call, or where it goes.
import { AppError, newId, type ErrorCode } from '@wrenn/base'
import type { HostAgentApi, OperationId } from '@wrenn/contract'
import type { Prepare, PreparedCall } from './case.ts'

const withoutCredentials: Prepare = async ({ good }) => ({ ...(await good()), as: undefined })

/** The team's one request is used up by another one. */
const rateLimited: Prepare = async ({ good, owner, planes }) => {
  await planes.limited.call('listSandboxes', { as: owner })
  return { ...(await good()), at: planes.limited }
}

export const withoutDatabase: Prepare = async ({ good, planes }) => ({
  ...(await good()),
  at: planes.withoutDatabase,
})

export const withoutAgent: Prepare = async ({ good, planes }) => ({
  ...(await good()),
  at: planes.withoutAgent,
})

/** Every operation that asks for credentials. */
export const guarded = { 401: withoutCredentials, 429: rateLimited, 503: withoutDatabase }

const tooLarge: Prepare = async ({ good }) => withFields(await good(), { junk: 'a'.repeat(1024 * 1024) })

export const otherContentType: Prepare = async ({ good }) => ({
  ...(await good()),
  headers: { 'content-type': 'text/plain' },
})

const unknownField: Prepare = async ({ good }) => withFields(await good(), { surprise: true })

/** Every operation with a JSON body. */
export const jsonBody = { 400: unknownField, 413: tooLarge, 415: otherContentType }

export function withFields(call: PreparedCall, fields: object): PreparedCall {
  return { ...call, body: { ...(call.body as object), ...fields } }
}

/** The team may keep no more. */
export const atLimit: Prepare = async ({ good, planes }) => ({ ...(await good()), at: planes.full })

/** No sandbox has this id. */
export const unknownSandbox: Prepare = async ({ good }) => ({
  ...(await good()),
  params: { id: newId('sb') },
})

export const stoppedSandbox: Prepare = async ({ good, stopped }) => ({
  ...(await good()),
  params: { id: await stopped() },
})

/** The agent fails with this code when it is asked for `operation`. */
export function agentFails(operation: OperationId<HostAgentApi>, code: ErrorCode): Prepare {
  return async ({ good, platform }) => {
    const call = await good()
    platform.agent.on(operation, {
      before: async () => {
        throw new AppError(code, 'injected')
      },
    })
    return call
  }
}
