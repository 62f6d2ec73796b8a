// One JSON line per event, on stdout (pino). Fields: `op`, `outcome`, ids, `durationMs`, and `requestId`
// wherever a request is being answered. Never secrets.
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import { currentRequest } from './request-context.ts'

export type Logger = PinoLogger

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** `output`: stdout when left out. */
export function createLogger(name: string, level: string, output?: DestinationStream): Logger {
  const options = { name, level, timestamp: pino.stdTimeFunctions.isoTime, mixin: requestFields }
  return output ? pino(options, output) : pino(options)
}

/** A field of the line itself wins. */
function requestFields(): { requestId?: string } {
  const request = currentRequest()
  return request ? { requestId: request.requestId } : {}
}
