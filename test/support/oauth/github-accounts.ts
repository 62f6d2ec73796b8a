// The people of the fake GitHub.
import assert from 'node:assert/strict'
import type { Person } from './identity-provider.ts'

interface GitHubAccount {
  id: number
  /** What everybody may see of it. */
  profile: Record<string, unknown>
  emails: { email: string; primary: boolean; verified: boolean }[]
}

export class GitHubAccounts {
  readonly #byLogin = new Map<string, GitHubAccount>()

  /** Somebody new. The public profile shows an address that is nobody's. */
  add(): Person {
    const id = 1_000 + this.#byLogin.size
    const [login, email] = [`octo${id}`, `octo${id}@example.com`]
    const emails = [
      { email: `old-${email}`, primary: false, verified: true },
      { email, primary: true, verified: true },
    ]
    this.#byLogin.set(login, { id, profile: { name: login, email: `shown-${email}` }, emails })
    return { login, email }
  }

  get(login: string): GitHubAccount {
    const account = this.#byLogin.get(login)
    assert.ok(account, `there is no ${login}`)
    return account
  }
}
