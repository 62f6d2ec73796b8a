// For tests: is this answer one that the contract allows? Status, content type and body.
import type { Contract } from './contract.ts'

export interface ReceivedAnswer {
  status: number
  /** The content-type header; null or undefined when there was none. */
  contentType: string | null | undefined
  /** The parsed JSON, or the raw text of other types; '' or undefined when there was none. */
  body: unknown
}

/** Undefined when the contract allows the answer; else what is wrong with it. */
export function answerProblem(
  contract: Contract,
  operationId: string,
  answer: ReceivedAnswer,
): string | undefined {
  const operation = contract.operations.get(operationId)
  if (!operation) return `the contract has no operation ${operationId}`
  const where = `${operationId} ${answer.status}`
  const content = operation.responses.get(answer.status)
  if (!content) return `${where}: the contract has no such status`
  const types = Object.keys(content)
  if (types.length === 0) {
    const empty = answer.body === '' || answer.body === undefined
    return empty ? undefined : `${where}: must have no body`
  }
  const type = answer.contentType?.split(';')[0]?.trim() ?? ''
  if (!types.includes(type)) return `${where}: content type is "${type}", not ${types.join(' or ')}`
  const problem = operation.validateAnswer(answer.status, type)?.(structuredClone(answer.body))
  return problem && `${where}: ${problem}`
}
