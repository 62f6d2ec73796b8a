// `npm run service -- install | uninstall | status | --print`: the platform as a systemd service. Writes nothing where
// systemd does not run.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { unitText } from './service-unit.ts'

const unitName = 'wrenn.service'
const unitFile = `/etc/systemd/system/${unitName}`
const folder = join(import.meta.dirname, '..')
const systemPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

class ServiceError extends Error {}

const actions: Record<string, () => void> = {
  install() {
    assertManageable()
    for (const name of settingsOfThisShell()) {
      console.log(`${name} is set in this shell only; the service reads ${folder}/.env: put it there.`)
    }
    writeFileSync(unitFile, unit())
    systemctl('daemon-reload')
    systemctl('enable', unitName)
    systemctl('restart', unitName)
    console.log(`${unitName} is installed and started. A first start takes some minutes.`)
    console.log('Watch it: journalctl -u wrenn -f')
  },
  uninstall() {
    assertManageable()
    if (!existsSync(unitFile)) throw new ServiceError(`${unitName} is not installed.`)
    systemctl('disable', '--now', unitName)
    rmSync(unitFile)
    systemctl('daemon-reload')
    console.log(`${unitName} is stopped and removed. The data in WRENN_DIR (/var/lib/wrenn) stay.`)
  },
  status() {
    assertSystemd()
    if (!existsSync(unitFile))
      throw new ServiceError(`${unitName} is not installed: npm run service -- install`)
    const { status } = spawnSync('systemctl', ['status', '--no-pager', unitName], { stdio: 'inherit' })
    process.exitCode = status ?? 1
  },
  '--print': () => console.log(unit().trimEnd()),
}

const action = process.argv.includes('--print') ? '--print' : (process.argv[2] ?? '')
try {
  const run = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (!run) throw new ServiceError('usage: npm run service -- install | uninstall | status | --print')
  run()
} catch (error) {
  if (!(error instanceof ServiceError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

function unit(): string {
  return unitText({ folder, path: [...new Set([...npmFolders(), ...systemPath])].join(delimiter) })
}

/** Where npm is, when that is not one of the system's own folders (nvm, a tarball in /opt). */
function npmFolders(): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders
    .filter((path) => path.startsWith('/') && !path.includes('node_modules') && existsSync(join(path, 'npm')))
    .slice(0, 1)
}

function assertSystemd(): void {
  // sd_booted(3)
  if (existsSync('/run/systemd/system')) return
  throw new ServiceError(
    'systemd does not run on this machine, so there is no service; nothing was changed. Run npm start under the ' +
      'supervisor that there is, or look at the unit: npm run service -- --print',
  )
}

function assertManageable(): void {
  assertSystemd()
  if (process.getuid?.() !== 0) throw new ServiceError('This takes root: sudo npm run service -- install')
}

function settingsOfThisShell(): string[] {
  const known =
    /^(CP_(LISTEN_ADDR|PUBLIC_URL)|DATABASE_URL|JWT_SECRET|LOG_LEVEL|OAUTH_.*|WRENN_(?!BOOTSTRAP_).*)$/
  return Object.keys(process.env).filter((name) => known.test(name))
}

function systemctl(...args: string[]): void {
  const { status, error } = spawnSync('systemctl', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0)
    throw new ServiceError(`systemctl ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`)
}
