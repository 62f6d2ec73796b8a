// `npm start`: prepares what is missing, runs the platform and stays with it until ctrl-C. Prints lines for people;
// the processes write their own logs. Exit code 0 after a stop, 1 after a failure, 78 when a setting is wrong.
import { AppError, errorText, SettingsError } from '@wrenn/base'
import { readyLines } from './banner.ts'
import { lockFolder, prepareFolders } from './folders.ts'
import { Platform } from './platform.ts'
import { bootstrapPhases, Screen } from './screen.ts'
import { localUrl, parseSettings, readEnvironment, type Settings } from './settings.ts'
import { StopSignals } from './stop-signals.ts'
import { StartError } from './supervisor/supervised-process.ts'

const EXIT_BAD_SETTINGS = 78

const screen = new Screen(process.stdout, bootstrapPhases(process.env['WRENN_BOOTSTRAP_TIMES']))
// A closed terminal or pipe must not end the launcher before its children.
process.stdout.on('error', () => undefined)
try {
  const settings = parseSettings(await readEnvironment())
  if (process.getuid?.() !== 0) {
    throw new AppError(
      'forbidden',
      'Wrenn makes VMs, users and networks, which takes root: run sudo npm start',
    )
  }
  await runPlatform(settings)
} catch (error) {
  screen.line(failureText(error))
  const badSettings = error instanceof SettingsError || (error instanceof StartError && error.badSettings)
  process.exitCode = badSettings ? EXIT_BAD_SETTINGS : 1
}
// Nothing is left to wait for; a forgotten handle must not keep the terminal.
process.exit()

async function runPlatform(settings: Settings): Promise<void> {
  const signals = new StopSignals()
  const folders = await prepareFolders(settings)
  const lock = await lockFolder(folders)
  const platform = new Platform(settings, folders, screen)
  signals.onSecond = () => platform.hurry()
  try {
    const health = await Promise.race([platform.start(signals.stop), signals.received])
    if (health) {
      const { onStop, listen } = settings
      const ready = { url: localUrl(listen), health, phases: screen.phases, folders, onStop }
      for (const line of readyLines(ready)) screen.line(line)
      await signals.received
    }
  } finally {
    if (signals.stop.aborted) screen.line('Stopping. A second ctrl-C cuts the waiting short.')
    // After a failure the sandboxes of an earlier run live on: nobody asked for their end.
    await platform.stop(signals.stop.aborted ? settings.onStop : 'keep')
    await lock.release()
  }
  screen.line('Stopped.')
}

function failureText(error: unknown): string {
  if (error instanceof SettingsError) return ['Settings that are wrong:', ...error.lines].join('\n  ')
  if (error instanceof AppError) return error.message
  return `${errorText(error)}\nWhen that is put right, npm start continues where it stopped.`
}
