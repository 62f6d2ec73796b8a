// What most commands do without: where, as whom, with what. Open while anything of it is refused.
import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { NumberField } from '../ui/number-field.tsx'
import { TextField } from '../ui/text-field.tsx'
import type { CommandForm } from './command.ts'

export interface CommandOptionsProps {
  form: CommandForm
  onChange: (change: Partial<CommandForm>) => void
  problem: { field: string; message: string } | undefined
}

const fields: ReadonlySet<string> = new Set(['cwd', 'user', 'envs', 'stdin'])

export function CommandOptions({ form, onChange, problem }: CommandOptionsProps) {
  const [isOpen, setIsOpen] = useState(false)
  const error = (field: string): string | undefined =>
    problem?.field === field ? problem.message : undefined
  const set = namesOfSet(form)
  const mustBeOpen = problem !== undefined && fields.has(problem.field)
  return (
    <details
      open={isOpen || mustBeOpen}
      onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}
      className="group"
    >
      <summary className="flex w-fit cursor-pointer list-none items-center gap-1 rounded-sm text-muted hover:text-ink">
        <ChevronRight aria-hidden className="size-4 group-open:rotate-90" />
        Options{set.length > 0 && `: ${set.join(', ')}`}
      </summary>
      <div className="mt-3 grid gap-3 sm:grid-cols-3">
        <TextField
          label="Folder"
          isMono
          value={form.cwd}
          onChange={(cwd) => onChange({ cwd })}
          placeholder="/root"
          error={error('cwd')}
        />
        <TextField
          label="User"
          isMono
          value={form.user}
          onChange={(user) => onChange({ user })}
          placeholder="root"
          autoCapitalize="off"
          error={error('user')}
        />
        <NumberField
          label="Timeout"
          value={form.timeoutSec}
          onChange={(timeoutSec) => onChange({ timeoutSec })}
          min={1}
          unit="s"
          help="Empty: as long as it takes"
        />
        <div className="sm:col-span-3 grid gap-3 sm:grid-cols-2">
          <TextField
            label="Environment"
            isMono
            rows={3}
            value={form.envs}
            onChange={(envs) => onChange({ envs })}
            placeholder={'NAME=value\nOTHER=value'}
            spellCheck={false}
            error={error('envs')}
          />
          <TextField
            label="Standard input"
            isMono
            rows={3}
            value={form.stdin}
            onChange={(stdin) => onChange({ stdin })}
            spellCheck={false}
            error={error('stdin')}
          />
        </div>
      </div>
    </details>
  )
}

function namesOfSet({ cwd, user, timeoutSec, envs, stdin }: CommandForm): string[] {
  const set: [boolean, string][] = [
    [cwd !== '', 'folder'],
    [user !== '', 'user'],
    [timeoutSec !== null, 'timeout'],
    [envs.trim() !== '', 'environment'],
    [stdin !== '', 'standard input'],
  ]
  return set.filter(([isSet]) => isSet).map(([, name]) => name)
}
