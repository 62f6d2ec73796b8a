// The first steps with the platform, the same in each language: what they are and how their snippets make one script.
// Pure. test/browser/snapshots-and-start.test.ts runs what these make, in each language.

export const steps = [
  { id: 'key', title: 'Say who you are', text: 'The address of this platform and your key.' },
  {
    id: 'create',
    title: 'Create a sandbox',
    text: 'A small Linux machine of your own, which runs commands as soon as it is there. When nothing has been done in it for ten minutes, it is paused.',
  },
  {
    id: 'run',
    title: 'Run a command',
    text: 'To its end. The answer has its output and its exit code.',
  },
  {
    id: 'files',
    title: 'Upload and download a file',
    text: 'A program goes there, and comes back as it is.',
  },
  {
    id: 'stream',
    title: 'Stream output',
    text: 'What a command says comes while it runs.',
  },
  {
    id: 'pause',
    title: 'Pause and resume',
    text: 'Its memory is saved and its resources are free for others. Resumed, its processes go on where they were.',
  },
  {
    id: 'snapshot',
    title: 'Make a snapshot',
    text: 'The sandbox becomes a template with all that is in it, and ends. As many sandboxes as you like are made from it.',
  },
  { id: 'destroy', title: 'Destroy', text: 'Nothing is left: neither the sandbox nor the snapshot.' },
] as const

type StepId = (typeof steps)[number]['id']

/** What the snippets are filled with. */
export interface Target {
  /** Of the platform: "https://wrenn.example.com". */
  origin: string
  apiKey: string
}

export interface Script {
  fileName: string
  /** In a shell, where the file is. */
  runCommand: string
  /** What has to be there to run it. */
  needs: string
  /** Shell commands that bring what is not there yet. */
  setUp?: string
  /** The first lines of the file. */
  header: string
  /** What a comment begins with. */
  comment: string
  code: Readonly<Record<StepId, string>>
  /** What is peculiar to a step in this language. */
  notes: Readonly<Partial<Record<StepId, string>>>
}

/** The file: the snippets as they are shown, one after the other. */
export function wholeScript({ header, comment, code }: Script): string {
  const parts = steps.map(({ id, title }, at) => `${comment} ${at + 1}. ${title}\n${code[id]}`)
  return `${[header, ...parts].join('\n\n')}\n`
}

/** What the steps upload and run. */
export const countProgram = `import time
for n in 1, 2, 3:
    print("line", n, flush=True)
    time.sleep(0.5)`

/** What the steps call their snapshot. */
export const snapshotName = 'first-steps'
