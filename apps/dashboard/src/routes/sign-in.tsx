// /sign-in: e-mail and password, or a provider. Leads to `to`, a page of ours.
import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { useQuery } from '@tanstack/react-query'
import { providersQuery } from '../data/queries.ts'
import { SignInFrame } from '../layout/sign-in-frame.tsx'
import { AccountForm } from '../session/account-form.tsx'
import { anonymousWrenn } from '../session/client.ts'
import { ProviderButtons } from '../session/provider-buttons.tsx'
import { home } from '../session/return-to.ts'
import { sessions } from '../session/session.ts'

const route = getRouteApi('/sign-in')

export function SignInPage() {
  const { to } = route.useSearch()
  const router = useRouter()
  const providers = useQuery(providersQuery(anonymousWrenn))
  return (
    <SignInFrame title="Sign in to Wrenn">
      {sessions.lastEnd === 'expired' && (
        <p role="status" className="rounded-md bg-info-soft px-3 py-2 text-info">
          Your session has expired. Sign in to go on where you were.
        </p>
      )}
      <AccountForm
        kind="sign-in"
        send={(account) => anonymousWrenn.auth.login(account)}
        onDone={() => router.history.replace(to ?? home)}
      />
      <ProviderButtons to={to} />
      {providers.data?.signups !== 'closed' && (
        <p className="text-muted">
          No account yet?{' '}
          <Link
            to="/sign-up"
            search={to === undefined ? {} : { to }}
            className="text-accent underline underline-offset-2"
          >
            Create one
          </Link>
        </p>
      )}
    </SignInFrame>
  )
}
