// "Continue with …" for each provider that the platform has configured.
import { useQuery } from '@tanstack/react-query'
import { providersQuery } from '../data/queries.ts'
import { buttonStyle } from '../ui/button.tsx'
import { anonymousWrenn } from './client.ts'
import { beginProviderLogin } from './provider-login.ts'
import { home } from './return-to.ts'

export function ProviderButtons({ to = home }: { to?: string | undefined }) {
  const providers = useQuery(providersQuery(anonymousWrenn))
  const oauth = providers.data?.oauth ?? []
  if (oauth.length === 0) return null
  return (
    <div className="flex flex-col gap-3">
      <div aria-hidden className="flex items-center gap-3 text-xs text-muted">
        <span className="h-px flex-1 bg-line" />
        or
        <span className="h-px flex-1 bg-line" />
      </div>
      {oauth.map(({ name, title }) => (
        // A link, not a call: the answer leads the whole tab to the provider.
        <a
          key={name}
          href={`/v1/auth/oauth/${encodeURIComponent(name)}`}
          onClick={() => beginProviderLogin(name, to)}
          className={buttonStyle('secondary', 'md')}
        >
          Continue with {title}
        </a>
      ))}
    </div>
  )
}
