// E-mail and password, for signing in and signing up: the same fields, the same errors at the same places.
import { useMutation } from '@tanstack/react-query'
import { WrennError, type Account } from '@wrenn/sdk'
import { useRef, useState, type FormEvent } from 'react'
import { Button } from '../ui/button.tsx'
import { fieldError } from '../ui/describe-error.ts'
import { InlineError } from '../ui/error-state.tsx'
import { TextField } from '../ui/text-field.tsx'
import { useNow } from '../ui/time.tsx'
import { sessions, type WireSession } from './session.ts'

export interface AccountFormProps {
  kind: 'sign-in' | 'sign-up'
  send: (account: Account) => Promise<WireSession>
  /** The session has begun. */
  onDone: () => void
}

export function AccountForm({ kind, send, onDone }: AccountFormProps) {
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [missing, setMissing] = useState<Readonly<Record<string, string>>>({})
  const form = useRef<HTMLFormElement>(null)
  // Whoever types goes on at what is wrong.
  const focus = (field: string | undefined): void => {
    if (field !== undefined) form.current?.querySelector<HTMLElement>(`[name=${field}]`)?.focus()
  }
  const submit = useMutation({
    mutationFn: async () => sessions.begin(await send({ email, password })),
    onSuccess: onDone,
    onError: (error) => focus(placeOf(error)?.field),
  })
  const refused = placeOf(submit.error)
  const errors = { ...missing, ...(refused ? { [refused.field]: refused.message } : {}) }
  const waitSec = useWait(submit.error, submit.submittedAt)

  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    const gaps = {
      ...(email.trim() === '' ? { email: 'Enter your e-mail address' } : {}),
      ...(password === '' ? { password: 'Enter your password' } : {}),
    }
    setMissing(gaps)
    focus(Object.keys(gaps)[0])
    if (Object.keys(gaps).length === 0 && !submit.isPending && waitSec === 0) submit.mutate()
  }

  const isSignUp = kind === 'sign-up'
  const label = isSignUp ? 'Create account' : 'Sign in'
  return (
    <form ref={form} noValidate onSubmit={onSubmit} className="flex flex-col gap-4">
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autoComplete={isSignUp ? 'email' : 'username'}
        value={email}
        onChange={setEmail}
        error={errors['email']}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete={isSignUp ? 'new-password' : 'current-password'}
        help={isSignUp ? 'At least 8 characters' : undefined}
        value={password}
        onChange={setPassword}
        error={errors['password']}
      />
      {submit.error && !refused && <InlineError error={submit.error} />}
      <Button
        type="submit"
        variant="primary"
        isBusy={submit.isPending}
        disabledReason={waitSec > 0 ? `Too many attempts: wait ${waitSec} s` : undefined}
      >
        {waitSec > 0 ? `${label} in ${waitSec} s` : label}
      </Button>
    </form>
  )
}

function placeOf(error: unknown): { field: string; message: string } | undefined {
  if (error instanceof WrennError && error.code === 'email_taken')
    return {
      field: 'email',
      message: 'There is an account with this e-mail address already: sign in instead',
    }
  const refused = fieldError(error)
  return refused && ['email', 'password'].includes(refused.field) ? refused : undefined
}

/** Seconds until the server takes another attempt, counting down; 0 when it does now. */
function useWait(error: unknown, sinceMs: number): number {
  const waitSec = error instanceof WrennError ? (error.retryAfterSec ?? 0) : 0
  // The clock of the page lags by up to a second: nobody waits for that.
  return useNow((nowMs) =>
    waitSec === 0 ? 0 : Math.max(0, Math.ceil((sinceMs + waitSec * 1_000 - nowMs) / 1_000)),
  )
}
