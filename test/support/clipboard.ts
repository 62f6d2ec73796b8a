// What a page copies, and what it does when it is pasted into a shell.
import { run } from '@wrenn/base'
import type { Locator, Page } from 'playwright-core'
import type { Account } from './api.ts'

/** Presses the button and returns what it has copied. */
export async function copied(page: Page, button: Locator): Promise<string> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.evaluate('navigator.clipboard.writeText("")')
  await button.click()
  await page.getByRole('status').getByText('Copied', { exact: true }).first().waitFor({ state: 'attached' })
  return page.evaluate('navigator.clipboard.readText()')
}

/** A curl command as it was copied, run with the account's key and token. Throws with exit code 22 when it is refused. */
export async function pasteCurl(command: string, { apiKey, token }: Account): Promise<string> {
  const env = { ...process.env, WRENN_API_KEY: apiKey, WRENN_TOKEN: token }
  return (await run('sh', ['-c', `${command} -sS --fail-with-body`], { env })).stdout
}
