// For crash.test.ts: an agent that dies by kill -9 at one step of one operation. Arguments: data folder, operation, step.
// Prints the id of its sandbox before.
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '@wrenn/base'
import type { Parts } from './parts.ts'
import { size, TestHost, withMethods } from './test-host.ts'

type Step = (...args: never[]) => Promise<unknown>
type Replace = (parts: Parts) => Partial<Parts>

const [folder = '', operation = '', step = ''] = process.argv.slice(2)
/** Until the operation begins everything works. */
let armed = false

/** The same step, or the end of this process before or after it. */
function dying<T extends Step>(real: T, when: 'before' | 'after'): T {
  const run = async (...args: Parameters<T>): Promise<unknown> => {
    if (armed && when === 'before') process.kill(process.pid, 'SIGKILL')
    const result = await real(...args)
    if (armed) process.kill(process.pid, 'SIGKILL')
    return result
  }
  return run as T
}

function storage(name: keyof Parts['storage'], when: 'before' | 'after'): Replace {
  return (parts) => ({ storage: { ...parts.storage, [name]: dying(parts.storage[name] as Step, when) } })
}

function vm(name: 'saveDevices' | 'kill' | 'run', when: 'before' | 'after'): Replace {
  return ({ driver }) => ({
    driver: withMethods(driver, {
      resume: async (options) => {
        const made = await driver.resume(options)
        return withMethods(made, { [name]: dying((made[name] as Step).bind(made), when) })
      },
    }),
  })
}

function guest(name: 'quiesce' | 'init' | 'thaw', when: 'before' | 'after'): Replace {
  return ({ connectGuest }) => ({
    connectGuest: (host, token) => {
      const made = connectGuest(host, token)
      return withMethods(made, { [name]: dying((made[name] as Step).bind(made), when) })
    },
  })
}

const steps: Record<string, Replace> = {
  'before the freeze': guest('quiesce', 'before'),
  'after the freeze': guest('quiesce', 'after'),
  'before the devices are saved': vm('saveDevices', 'before'),
  'before the memory is saved': storage('saveDirtyPages', 'before'),
  'after the memory is saved': storage('saveDirtyPages', 'after'),
  'before the state file': storage('writeRecord', 'before'),
  'before the record counts': storage('stageRecord', 'after'),
  'after the state file': storage('writeRecord', 'after'),
  'after the VM is ended': vm('kill', 'after'),
  'after the copy of the memory': storage('cloneFile', 'after'),
  'before the fold': storage('foldDelta', 'before'),
  'after the fold': storage('foldDelta', 'after'),
  'before the vcpus run': vm('run', 'before'),
  'after the clock is set': guest('init', 'after'),
  'before the thaw': guest('thaw', 'before'),
  'after the thaw': guest('thaw', 'after'),
  'before the folder is removed': storage('removeFolder', 'before'),
  'after the folder is removed': storage('removeFolder', 'after'),
}

const host = await TestHost.open(folder)
const replace = steps[step]
if (!replace) throw new Error(`unknown step ${step}`)
const sandboxes = host.sandboxes(replace(host.parts))
const id = newId('sb')
process.stdout.write(`${id}\n`)

if (operation !== 'create') {
  await sandboxes.create({ id, ...size })
  const script =
    'echo disk > /root/disk; sync; echo memory > /run/memory; (while :; do sleep 0.1; done) >/dev/null 2>&1 & echo $! > /run/pid'
  await sandboxes.guest.exec(id, { cmd: 'sh', args: ['-c', script], timeoutSec: 30 })
}
if (operation === 'resume') {
  await sandboxes.pause(id)
  await sandboxes.folded()
}
armed = true
if (operation === 'create') await sandboxes.create({ id, ...size })
else if (operation === 'pause') await sandboxes.pause(id)
else if (operation === 'resume') await sandboxes.resume(id)
else if (operation === 'snapshot') await sandboxes.snapshot(id, `snap-${id.slice(3)}`)
else if (operation === 'destroy') await sandboxes.destroy(id)
else throw new Error(`unknown operation ${operation}`)
// The fold comes after the answer; nothing else does.
await sleep(10_000)
throw new Error(`${operation}: the step "${step}" was not reached`)
