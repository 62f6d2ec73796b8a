export { ContractClient } from './client.ts'
export { createContractServer } from './server.ts'
export type { AuthRequest } from './plugin.ts'
export { statusByCode } from './status.ts'
