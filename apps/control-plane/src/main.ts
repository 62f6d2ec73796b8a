// The control plane as a process: settings, migrations, server, signals. Mistakes in the settings end it with a line each
// on stderr and exit code 78; a database that does not come up with exit code 1, for a supervisor to try again.
import { createLogger, errorText, SettingsError } from '@wrenn/base'
import { keptJwtSecret } from './auth/jwt-secret.ts'
import { parseConfig } from './config.ts'
import { startControlPlane, type ControlPlane } from './server.ts'
import { exitBadSettings, StartError } from './start-error.ts'
import { migrateWhenUp } from './store/migrate-when-up.ts'

const rateLimitsOff = 'RATE_LIMITS=off: anybody may guess passwords and use up the machine'

try {
  const controlPlane = await start()
  const stop = (): void => {
    controlPlane.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error, 1),
    )
  }
  process.once('SIGTERM', stop).once('SIGINT', stop)
} catch (error) {
  fail(error, error instanceof SettingsError || error instanceof StartError ? exitBadSettings : 1)
}

async function start(): Promise<ControlPlane> {
  const config = parseConfig(process.env)
  const jwtSecret = config.jwtSecret ?? (await keptJwtSecret(config.dataFolder))
  const logger = createLogger('control-plane', config.logLevel)
  const applied = await migrateWhenUp(config.databaseUrl)
  if (applied.length > 0) logger.info({ op: 'migrate', outcome: 'ok', applied })
  if (config.rateLimits === 'off') logger.warn({ op: 'start', outcome: 'degraded', warning: rateLimitsOff })
  const controlPlane = await startControlPlane({ ...config, jwtSecret, logger })
  logger.info({ op: 'listen', outcome: 'ok', url: controlPlane.url })
  return controlPlane
}

function fail(error: unknown, exitCode: number): never {
  // A StartError is a whole sentence; other errors need their causes.
  const text = error instanceof StartError ? error.message : errorText(error)
  const lines = error instanceof SettingsError ? error.lines : [text]
  for (const line of lines) process.stderr.write(`control-plane: ${line}\n`)
  process.exit(exitCode)
}
