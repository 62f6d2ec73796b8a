// GitHub as the package `emulate` does it, in a process of its own. It knows its users from the start, has a page with a
// form for each of them, and checks neither PKCE nor sends `iss`: the strict one does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import assert from 'node:assert/strict'
import { withDeadline } from '@wrenn/base'
import { createGitHub } from '../../../apps/control-plane/src/auth/oauth/providers/github.ts'
import { oauthApp, redirectUriOf, twinOf, type IdentityProvider, type Person } from './identity-provider.ts'

const program = join(import.meta.dirname, 'emulated-github-host.ts')
const name = 'emulate'
const names = [name, twinOf(name), 'github']
const people = Array.from({ length: 60 }, (_, n) => ({
  login: `octo${n}`,
  email: `octo${n}@example.com`,
}))

/** `origin`: of the API, in the callback's address that is registered. */
export async function startEmulatedGitHub(origin?: string): Promise<IdentityProvider> {
  const app = { client_id: oauthApp.clientId, client_secret: oauthApp.clientSecret, name: 'Wrenn' }
  const seed = {
    github: {
      users: people,
      oauth_apps: [{ ...app, redirect_uris: names.map((each) => redirectUriOf(each, origin)) }],
    },
  }
  const child = spawn(process.execPath, [program, JSON.stringify(seed)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const url = await withDeadline('the emulator listens', 20_000, firstUrl(child.stdout))
  // It listens on IPv4 only, whatever "localhost" is here.
  const baseUrl = url.replace('localhost', '127.0.0.1')
  let next = 0
  return {
    name,
    factory: createGitHub,
    settings: { ...oauthApp, baseUrl, apiUrl: baseUrl },
    issuer: `${baseUrl}/login/oauth`,
    person: () => {
      const person = people[next]
      assert.ok(person, 'the emulator needs more users')
      next += 1
      return person
    },
    consent: (page, person) => submit(page, person),
    remove: async () => {
      child.stdin.end()
      await withDeadline('the emulator ends', 10_000, ended)
    },
  }
}

async function firstUrl(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface(output)) {
    const [, url] = /^url (\S+)$/.exec(line) ?? []
    if (url !== undefined) return url
  }
  throw new Error('the emulator ended')
}

/** Sends the form of the person on the page. */
async function submit(page: URL, { login }: Person): Promise<URL> {
  const html = await (await fetch(page)).text()
  const form = html.split('<form').find((text) => text.includes(`name="login" value="${login}"`)) ?? ''
  const [, action] = /action="([^"]+)"/.exec(form) ?? []
  assert.ok(action, `no form for ${login}: ${html}`)
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, unescaped(value)] as [string, string],
  )
  const answer = await fetch(new URL(action, page), {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams(fields),
  })
  return new URL(answer.headers.get('location') ?? '')
}

function unescaped(html: string): string {
  const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
  return html.replaceAll(/&([a-z]+|#39);/g, (_match, name: string) => characters[name] ?? '')
}
