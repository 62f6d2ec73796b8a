// vCPUs and memory, within what the host has; a snapshot fixes both.
import type { Health, Template } from '@wrenn/sdk'
import { formatBytes } from '../../lib/format.ts'
import { NumberField } from '../../ui/number-field.tsx'
import type { Draft } from './create-draft.ts'

export interface SizeFieldsProps {
  draft: Draft
  onChange: (part: Partial<Draft>) => void
  /** Undefined while it is not known. */
  template: Template | undefined
  /** The host's limits; undefined while they are not known: the server says when it is too much. */
  agent: Health['agent'] | undefined
  errors: Readonly<Record<string, string>>
}

const memoryStepMib = 128
/** The contract's. */
const mostVcpus = 32

export function SizeFields({ draft, onChange, template, agent, errors }: SizeFieldsProps) {
  const isFixed = template?.type === 'snapshot'
  const cores = agent?.cpu_cores
  const memoryMib = agent?.memory_mib && roundDown(agent.memory_mib)
  return (
    <div className="flex flex-col gap-1">
      <div className="grid grid-cols-2 gap-3">
        <div data-field="vcpus">
          <NumberField
            label="vCPUs"
            name="vcpus"
            min={1}
            {...(cores === undefined ? {} : { max: Math.min(cores, mostVcpus) })}
            value={isFixed ? template.vcpus : draft.vcpus}
            onChange={(vcpus) => onChange({ vcpus })}
            isDisabled={isFixed}
            help={isFixed || cores === undefined ? undefined : `Up to ${Math.min(cores, mostVcpus)}`}
            error={errors['vcpus']}
          />
        </div>
        <div data-field="memory_mb">
          <NumberField
            label="Memory"
            name="memory_mb"
            unit="MiB"
            min={memoryStepMib}
            step={memoryStepMib}
            {...(memoryMib === undefined ? {} : { max: memoryMib })}
            value={isFixed ? template.memory_mb : draft.memoryMib}
            onChange={(memory) => onChange({ memoryMib: memory })}
            isDisabled={isFixed}
            help={
              isFixed || memoryMib === undefined ? undefined : `Up to ${formatBytes(memoryMib * 1_048_576)}`
            }
            error={errors['memory_mb']}
          />
        </div>
      </div>
      {isFixed && (
        <p className="text-xs text-muted">
          The snapshot fixes both: what is in its memory goes on where it was, on as many vCPUs.
        </p>
      )}
    </div>
  )
}

/** The server rounds up, and refuses what is more than there is then. */
function roundDown(memoryMib: number): number {
  return memoryMib - (memoryMib % memoryStepMib)
}
