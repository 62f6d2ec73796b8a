// /auth/$provider/callback: where a login through a provider comes back to. Begins the session, or says what went wrong.
import { useRouter } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { SignInFrame } from '../layout/sign-in-frame.tsx'
import { finishProviderLogin, type LoginOutcome } from '../session/provider-login.ts'
import { LinkButton } from '../ui/link-button.tsx'
import { Skeleton } from '../ui/skeleton.tsx'

// What came back can be taken once, and React may run an initializer twice.
let outcome: LoginOutcome | undefined

export function AuthCallbackPage() {
  const router = useRouter()
  const [{ returnTo, problem }] = useState(() => (outcome ??= finishProviderLogin()) as Partial<Outcomes>)
  useEffect(() => {
    if (returnTo !== undefined) router.history.replace(returnTo)
  }, [router, returnTo])
  if (problem === undefined) {
    return (
      <SignInFrame title="Signing in">
        <Skeleton label="Signing in" rows={1} />
      </SignInFrame>
    )
  }
  return (
    <SignInFrame title="You are not signed in">
      <p role="alert" className="text-muted">
        {problem}
      </p>
      <LinkButton to="/sign-in" variant="primary">
        Go to the sign-in page
      </LinkButton>
    </SignInFrame>
  )
}

type Outcomes = { returnTo: string; problem: string }
