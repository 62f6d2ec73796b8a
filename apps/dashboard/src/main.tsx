// The entry: the app, put together. public/early.js has run before.
import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createQueryClient } from './data/query-client.ts'
import { router } from './router.tsx'
import { sessions } from './session/session.ts'
import './styles/app.css'
import { Toasts } from './ui/toasts.tsx'

const root = document.getElementById('app')
if (!root) throw new Error('index.html has no #app')

// The routes behind the sign-in look at the session again, and lead away when it has ended.
sessions.subscribe(() => void router.invalidate())

// For pages before the sign-in; those behind it have the session's own.
const anonymousQueries = createQueryClient(() => undefined)

createRoot(root).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={anonymousQueries}>
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
)
