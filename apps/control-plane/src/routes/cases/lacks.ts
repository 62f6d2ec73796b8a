// What the contract demands and the cases do not have. Pure, so that a test can show that it finds every lack.
import type { OperationDocument } from '@wrenn/contract'

interface CasesOfAny {
  foreign?: string
  answers: Record<number, unknown>
}

/** Empty when there is a case for all; else a line for each lack, and for each case of nothing in the contract. */
export function lacks(
  operations: Iterable<Pick<OperationDocument, 'id' | 'securitySchemes' | 'responses'>>,
  cases: Record<string, CasesOfAny | undefined>,
): string[] {
  const found: string[] = []
  const ids = new Set<string>()
  for (const { id, securitySchemes, responses } of operations) {
    ids.add(id)
    const { foreign, answers = {} } = cases[id] ?? {}
    // A crash cannot be asked for: packages/http tests what is answered to one.
    const documented = [...responses.keys()].filter((status) => status !== 500).map(String)
    const missing = documented.filter((status) => !Object.hasOwn(answers, status))
    const unknown = Object.keys(answers).filter((status) => !documented.includes(status))
    found.push(...missing.map((status) => `${id}: no case for ${status}`))
    found.push(...unknown.map((status) => `${id}: a case for ${status}, which the contract does not name`))
    if (securitySchemes.length === 0) continue
    if (!responses.has(401)) found.push(`${id}: asks for credentials and documents no 401`)
    if (foreign === undefined) found.push(`${id}: no word on what another team gets`)
  }
  const strangers = Object.keys(cases).filter((id) => !ids.has(id))
  return [...found, ...strangers.map((id) => `${id}: cases for what is not served`)]
}
