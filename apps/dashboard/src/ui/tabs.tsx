// Tabs within a page, and links that look like them where each tab has an address of its own.
import { Tabs as Base } from '@base-ui/react/tabs'
import { createLink } from '@tanstack/react-router'
import type { ComponentPropsWithRef, ReactNode } from 'react'

const list = 'flex gap-1 overflow-x-auto border-b border-line'
const tab =
  '-mb-px border-b-2 border-transparent px-3 py-2 font-medium whitespace-nowrap text-muted hover:text-ink focus-visible:-outline-offset-2'

export interface TabsProps<Value extends string> {
  label: string
  value: Value
  onChange: (value: Value) => void
  tabs: readonly { value: Value; label: string; content: ReactNode }[]
}

export function Tabs<Value extends string>({ label, value, onChange, tabs }: TabsProps<Value>) {
  return (
    <Base.Root value={value} onValueChange={(next: Value) => onChange(next)}>
      <Base.List aria-label={label} className={list}>
        {tabs.map(({ value, label }) => (
          <Base.Tab
            key={value}
            value={value}
            className={`${tab} data-active:border-accent data-active:text-ink`}
          >
            {label}
          </Base.Tab>
        ))}
      </Base.List>
      {tabs.map(({ value, content }) => (
        <Base.Panel key={value} value={value} className="pt-4">
          {content}
        </Base.Panel>
      ))}
    </Base.Root>
  )
}

export function TabLinks({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav aria-label={label} className={list}>
      {children}
    </nav>
  )
}

function TabAnchor({ children, ...rest }: ComponentPropsWithRef<'a'>) {
  return (
    <a {...rest} className={`${tab} aria-[current=page]:border-accent aria-[current=page]:text-ink`}>
      {children}
    </a>
  )
}

/** Takes what `Link` of the router takes; in TabLinks. */
export const TabLink = createLink(TabAnchor)
