// Run one command in the sandbox, with its output as it comes.
import { SquareChevronRight } from 'lucide-react'
import { useRef, useState } from 'react'
import { CommandForm } from '../../run/command-form.tsx'
import { emptyForm, type CommandForm as Form } from '../../run/command.ts'
import { RunHistoryList } from '../../run/run-history.tsx'
import { RunOutput } from '../../run/run-output.tsx'
import { useRunner } from '../../run/use-runner.ts'
import { fieldError } from '../../ui/describe-error.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { NotRunning } from './not-running.tsx'
import { useSandbox } from './use-sandbox.ts'

export function RunTab() {
  const sandbox = useSandbox()
  const { runner, state } = useRunner(sandbox.id)
  const { run, history } = state
  const line = useRef<HTMLInputElement>(null)
  const [form, setForm] = useState<Form>(run?.form ?? emptyForm)
  const use = (next: Form): void => {
    setForm(next)
    line.current?.focus()
  }
  return (
    <div className="flex flex-col gap-4">
      {sandbox.status !== 'running' && <NotRunning sandbox={sandbox} action="exec" />}
      {(sandbox.status === 'running' || run) && (
        <CommandForm
          sandbox={sandbox}
          form={form}
          lineRef={line}
          onChange={setForm}
          run={run}
          history={history}
          refused={run?.form === form ? fieldError(run.end?.error) : undefined}
          onRun={(request) => void runner.start(form, request)}
          onStop={() => runner.stop()}
        />
      )}
      {run && <RunOutput key={run.startedAtMs} run={run} />}
      {!run && sandbox.status === 'running' && (
        <EmptyState icon={SquareChevronRight} title="Nothing was run yet">
          One command at a time, without a terminal: its output comes as it is written, stdout and stderr
          apart, and its exit code last.
        </EmptyState>
      )}
      {history.length > 0 && (
        <RunHistoryList history={history} onUse={use} onForget={() => runner.forget()} />
      )}
    </div>
  )
}
