// What to run, and how. Enter runs it; up and down go through what was run before, as in a shell.
import type { Sandbox } from '@wrenn/sdk'
import { Play, Square } from 'lucide-react'
import { useRef, useState, type KeyboardEvent, type RefObject, type SubmitEvent } from 'react'
import { whySandboxCannot } from '@wrenn/contract/sandbox-can'
import { Button } from '../ui/button.tsx'
import { Checkbox } from '../ui/checkbox.tsx'
import { CopyAsCurl } from '../ui/copy-as-curl.tsx'
import { TextField } from '../ui/text-field.tsx'
import { CommandOptions } from './command-options.tsx'
import { execCall, parseForm, type CommandForm as Form, type ParsedForm } from './command.ts'
import type { PastRun } from './history.ts'
import type { Run } from './runner.ts'

export interface CommandFormProps {
  sandbox: Sandbox
  form: Form
  lineRef: RefObject<HTMLInputElement | null>
  onChange: (form: Form) => void
  run: Run | undefined
  history: readonly PastRun[]
  /** A field that the server has refused. */
  refused: { field: string; message: string } | undefined
  onRun: (request: Extract<ParsedForm, { ok: true }>['request']) => void
  onStop: () => void
}

export function CommandForm({
  sandbox,
  form,
  lineRef,
  onChange,
  run,
  history,
  refused,
  onRun,
  onStop,
}: CommandFormProps) {
  const parsed = parseForm(form)
  /** What is wrong with the form is said when it is sent, until it is changed. */
  const [isChecked, setIsChecked] = useState(false)
  /** How far back in the history the line is. */
  const back = useRef(0)
  const isRunning = run !== undefined && run.end === undefined
  const problem = isChecked && !parsed.ok ? parsed : refused
  const change = (next: Partial<Form>): void => {
    setIsChecked(false)
    onChange({ ...form, ...next })
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (isRunning || whyNot !== undefined) return
    back.current = 0
    setIsChecked(true)
    if (parsed.ok) onRun(parsed.request)
  }
  const walk = (event: KeyboardEvent): void => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key]
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
    const next = Math.min(Math.max(back.current + step, 0), history.length)
    if (next === back.current) return
    event.preventDefault()
    back.current = next
    const { line = '', isShell = form.isShell } = history[next - 1]?.form ?? {}
    change({ line, isShell })
  }
  const whyNot = whySandboxCannot('exec', sandbox.status, 'The sandbox')
  return (
    <form
      onSubmit={submit}
      noValidate
      className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-4"
    >
      <div className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <TextField
            ref={lineRef}
            label="Command"
            isMono
            value={form.line}
            onChange={(line) => change({ line })}
            onKeyDown={walk}
            placeholder={form.isShell ? 'ls -l /etc | wc -l' : 'python3 -c "print(6 * 7)"'}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            error={problem?.field === 'cmd' || problem?.field === 'args' ? problem.message : undefined}
            help={<CommandHelp form={form} parsed={parsed} onShell={() => change({ isShell: true })} />}
          />
        </div>
        <div className="mt-[1.6rem]">
          {isRunning ? (
            <Button variant="danger" icon={Square} isBusy={run.isStopping} onClick={onStop}>
              Stop
            </Button>
          ) : (
            <Button variant="primary" icon={Play} type="submit" disabledReason={whyNot}>
              Run
            </Button>
          )}
        </div>
      </div>
      <CommandOptions form={form} onChange={change} problem={problem} />
      <div className="flex flex-wrap items-center justify-between gap-2">
        <Checkbox
          label="Run in a shell (sh -c)"
          isChecked={form.isShell}
          onChange={(isShell) => change({ isShell })}
        />
        {parsed.ok && <CopyAsCurl call={execCall(sandbox.id, parsed.request, form.timeoutSec)} />}
      </div>
    </form>
  )
}

function CommandHelp({ form, parsed, onShell }: { form: Form; parsed: ParsedForm; onShell: () => void }) {
  if (form.isShell || !parsed.ok || parsed.shellSyntax === undefined) return null
  return (
    <>
      Without a shell, <code className="font-mono">{parsed.shellSyntax}</code> has no meaning: it is passed on
      as it is.{' '}
      <button type="button" onClick={onShell} className="text-accent underline">
        Run in a shell
      </button>
    </>
  )
}
