// The host agent's settings, from the environment. Bad ones end the start with one line each.
import { realpath } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import type { CapacityLimits } from './sandbox/capacity.ts'
import {
  capacitySettings,
  instanceId,
  integerSetting,
  logLevels,
  parseEnvironment,
  resolversSetting,
  SettingsError,
  listenSetting,
} from '@wrenn/base'

export interface Config extends CapacityLimits {
  /** Real path of the data folder. */
  dataFolder: string
  instance: string
  diskMib: number
  /** Undefined: the host's own resolvers. */
  dns: string[] | undefined
  /** VMs kept ready, so that creates need not wait for one. */
  poolSize: number
  /** Network slots kept ready, so that creates need not wait for one. */
  readySlots: number
  logLevel: string
  /** Undefined: no metrics. */
  metricsListen?: { host: string; port: number } | undefined
}

const schema = z.object({
  WRENN_DIR: z.string().startsWith('/', 'must be an absolute path').default('/var/lib/wrenn'),
  WRENN_DISK_MB: integerSetting(256, 1_048_576).default(4096),
  WRENN_DNS: resolversSetting.optional(),
  ...capacitySettings,
  WRENN_AGENT_METRICS_ADDR: listenSetting.optional(),
  LOG_LEVEL: z.enum(logLevels).default('info'),
})

export async function readConfig(environment: NodeJS.ProcessEnv): Promise<Config> {
  const settings = parseEnvironment(schema, environment)
  const dataFolder = await realpath(settings.WRENN_DIR).catch(() => {
    throw new SettingsError([`WRENN_DIR: there is no folder ${settings.WRENN_DIR}; npm start makes it`])
  })
  return {
    dataFolder,
    instance: instanceId(dataFolder),
    diskMib: settings.WRENN_DISK_MB,
    dns: settings.WRENN_DNS,
    poolSize: settings.WRENN_POOL_SIZE,
    memoryOvercommit: settings.WRENN_MEMORY_OVERCOMMIT,
    memoryReserveMib: settings.WRENN_MEMORY_RESERVE_MB,
    diskReserveMib: settings.WRENN_DISK_RESERVE_MB,
    readySlots: Math.max(4, availableParallelism() * 2),
    logLevel: settings.LOG_LEVEL,
    metricsListen: settings.WRENN_AGENT_METRICS_ADDR,
  }
}
