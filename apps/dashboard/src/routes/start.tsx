// /start: first steps, as curl, TypeScript and Python, filled in with this platform's address and a key.
import { useState } from 'react'
import { Page } from '../layout/page.tsx'
import { curlSteps } from '../lib/first-steps/curl.ts'
import { pythonSteps } from '../lib/first-steps/python.ts'
import { typescriptSteps } from '../lib/first-steps/typescript.ts'
import { Tabs } from '../ui/tabs.tsx'
import { KeyCard } from './start/key-card.tsx'
import { Steps } from './start/steps.tsx'
import { useStartKey } from './start/use-start-key.ts'

type Language = 'curl' | 'typescript' | 'python'

export function StartPage() {
  const [apiKey, setApiKey] = useStartKey()
  const [language, setLanguage] = useState<Language>('curl')
  const target = { origin: location.origin, apiKey: apiKey ?? 'YOUR_API_KEY' }
  return (
    <Page title="Get started" description="From a key to a sandbox and back again, in a minute.">
      <KeyCard apiKey={apiKey} onChange={setApiKey} />
      <Tabs
        label="Language"
        value={language}
        onChange={setLanguage}
        tabs={[
          { value: 'curl', label: 'curl', content: <Steps script={curlSteps(target)} /> },
          { value: 'typescript', label: 'TypeScript', content: <Steps script={typescriptSteps(target)} /> },
          { value: 'python', label: 'Python', content: <Steps script={pythonSteps(target)} /> },
        ]}
      />
    </Page>
  )
}
