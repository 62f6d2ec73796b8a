// What the latest command says and how it ended. Long output: the end is shown, all can be downloaded.
import { Download } from 'lucide-react'
import { useState } from 'react'
import { Button } from '../ui/button.tsx'
import { CopyTextButton } from '../ui/copy-button.tsx'
import { InlineError } from '../ui/error-state.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { Elapsed } from '../ui/time.tsx'
import { OutputText } from './output-text.tsx'
import type { StreamChoice } from './output.ts'
import { durationText, wordsOf } from './outcome.tsx'
import type { Run } from './runner.ts'
import { saveText } from './save-text.ts'
import { StreamPicker } from './stream-picker.tsx'

export function RunOutput({ run }: { run: Run }) {
  const { form, output, end } = run
  const [choice, setChoice] = useState<StreamChoice>('all')
  const download = (): void =>
    saveText(output.texts(choice), `output${choice === 'all' ? '' : `-${choice}`}.txt`)
  return (
    <section
      aria-label="Output"
      className="flex min-w-0 flex-col overflow-hidden rounded-lg border border-line bg-surface"
    >
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-3 py-2">
        <code className="min-w-0 flex-1 basis-60 truncate font-mono text-xs" title={form.line}>
          {form.line}
        </code>
        <div className="flex flex-wrap items-center gap-1">
          <StreamPicker value={choice} onChange={setChoice} />
          <CopyTextButton size="sm" variant="ghost" text={() => output.texts(choice).join('')}>
            Copy
          </CopyTextButton>
          <Button size="sm" variant="ghost" icon={Download} onClick={download}>
            Download
          </Button>
        </div>
      </header>
      <OutputText key={choice} output={output} choice={choice} isRunning={end === undefined} />
      {end?.error !== undefined && (
        <div className="px-3 pb-3">
          <InlineError error={end.error} />
        </div>
      )}
      <RunStatus run={run} />
    </section>
  )
}

function RunStatus({ run: { end, isStopping, startedAtMs } }: { run: Run }) {
  return (
    <footer className="flex flex-wrap items-center gap-x-4 border-t border-line px-3 py-2 text-muted">
      <p role="status" className="flex items-center gap-2">
        {end ? (
          <>
            <span className={end.outcome.kind === 'failed' ? 'text-danger' : 'text-ink'}>
              {end.outcome.kind === 'failed' ? 'Failed' : wordsOf(end.outcome).long}
            </span>
            <span>after {durationText(end.durationMs)}</span>
          </>
        ) : (
          <>
            <Spinner />
            {isStopping ? 'Stopping… It has 5 s to end by itself.' : 'Running…'}
          </>
        )}
      </p>
      {!end && (
        <p>
          <Elapsed since={new Date(startedAtMs).toISOString()} /> · it goes on while you look at other pages
          of this app
        </p>
      )}
    </footer>
  )
}
