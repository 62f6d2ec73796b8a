// One JSON line per event, on stdout (pino). Fields: `op`, `outcome`, ids, `durationMs`. Never secrets.
import { pino, type Logger as PinoLogger } from 'pino'

export type Logger = PinoLogger

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

export function createLogger(name: string, level: string): Logger {
  return pino({ name, level, timestamp: pino.stdTimeFunctions.isoTime })
}
