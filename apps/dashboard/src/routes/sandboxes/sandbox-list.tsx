// The rows of the list: those that match, with what can be done to each and to those that are selected. One menu serves all
// rows.
import { Menu } from '@base-ui/react/menu'
import type { Sandbox } from '@wrenn/sdk'
import { useMemo, useState } from 'react'
import { SandboxMenu } from '../../sandboxes/sandbox-menu.tsx'
import { Table } from '../../ui/table.tsx'
import { BulkBar } from './bulk-bar.tsx'
import { sandboxColumns } from './columns.tsx'

export function SandboxList({ sandboxes }: { sandboxes: readonly Sandbox[] }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [menu] = useState(() => Menu.createHandle<string>())
  const columns = useMemo(() => sandboxColumns(menu), [menu])
  // What is not shown any more is not selected: nothing is done to what nobody sees.
  const selected = sandboxes.filter(({ id }) => chosen.has(id))
  const keys = new Set(selected.map(({ id }) => id))
  return (
    <>
      <Table
        label="Sandboxes"
        columns={columns}
        rows={sandboxes}
        rowKey={({ id }) => id}
        selection={{ keys, onChange: setChosen }}
      />
      <Menu.Root handle={menu}>
        {({ payload: id }) => {
          const sandbox = sandboxes.find((each) => each.id === id)
          return sandbox && <SandboxMenu sandbox={sandbox} />
        }}
      </Menu.Root>
      <BulkBar selected={selected} onSelect={setChosen} />
    </>
  )
}
