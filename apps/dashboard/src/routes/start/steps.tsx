// The steps of one language, each with its snippet, and all of them as one script.
import type { ReactNode } from 'react'
import { steps, wholeScript, type Script } from '../../lib/first-steps/steps.ts'
import { CodeBlock } from '../../ui/code-block.tsx'
import { CopyTextButton } from '../../ui/copy-button.tsx'

export function Steps({ script }: { script: Script }) {
  const whole = wholeScript(script)
  return (
    <div className="flex flex-col gap-8">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="flex min-w-0 flex-1 basis-80 flex-col gap-2">
          <p className="text-muted">{script.needs}</p>
          {script.setUp !== undefined && <CodeBlock label="The set-up" code={script.setUp} />}
        </div>
        <CopyTextButton text={whole}>Copy all as one script</CopyTextButton>
      </div>
      <ol className="flex flex-col gap-8">
        {steps.map(({ id, title, text }, at) => (
          <li key={id}>
            <Section title={`${at + 1}. ${title}`} text={text} note={script.notes[id]}>
              <CodeBlock label={`Step ${at + 1}`} code={script.code[id]} />
            </Section>
          </li>
        ))}
      </ol>
      <Section
        title="All of it, as one script"
        text={
          <>
            Save it as <code className="font-mono">{script.fileName}</code> and run it with{' '}
            <code className="font-mono">{script.runCommand}</code>.
          </>
        }
        note="Your key is in it: keep it where nobody else reads it."
      >
        <CodeBlock label="The whole script" code={whole} />
      </Section>
    </div>
  )
}

interface SectionProps {
  title: string
  text: ReactNode
  note: string | undefined
  children: ReactNode
}

function Section({ title, text, note, children }: SectionProps) {
  return (
    <section className="grid grid-cols-[minmax(0,1fr)] items-start gap-x-8 gap-y-3 lg:grid-cols-[18rem_minmax(0,1fr)]">
      <div className="flex flex-col gap-1">
        <h2 className="text-base font-semibold tracking-tight">{title}</h2>
        <p className="text-muted">{text}</p>
        {note !== undefined && <p className="text-muted">{note}</p>}
      </div>
      {children}
    </section>
  )
}
