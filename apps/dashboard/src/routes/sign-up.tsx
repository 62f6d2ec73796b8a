// /sign-up: a new account with a team of its own.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { providersQuery } from '../data/queries.ts'
import { SignInFrame } from '../layout/sign-in-frame.tsx'
import { AccountForm } from '../session/account-form.tsx'
import { anonymousWrenn } from '../session/client.ts'
import { ProviderButtons } from '../session/provider-buttons.tsx'
import { home } from '../session/return-to.ts'

const route = getRouteApi('/sign-up')

export function SignUpPage() {
  const { to } = route.useSearch()
  const router = useRouter()
  const { data: providers } = useQuery(providersQuery(anonymousWrenn))
  return (
    <SignInFrame title="Create an account">
      {providers?.signups === 'domains' && (
        <p className="text-muted">This platform takes e-mail addresses of certain domains only.</p>
      )}
      {providers?.signups === 'closed' && (
        <p className="text-muted">
          This platform takes no new accounts, but for its very first. Ask its operator for one.
        </p>
      )}
      <AccountForm
        kind="sign-up"
        send={(account) => anonymousWrenn.auth.signup(account)}
        onDone={() => router.history.replace(to ?? home)}
      />
      <ProviderButtons to={to} />
      <p className="text-muted">
        Have an account?{' '}
        <Link
          to="/sign-in"
          search={to === undefined ? {} : { to }}
          className="text-accent underline underline-offset-2"
        >
          Sign in
        </Link>
      </p>
    </SignInFrame>
  )
}
