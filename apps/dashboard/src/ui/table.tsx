// A table that becomes a list of cards on narrow screens. Rows can be selected, one by one or all. The roles are said
// aloud, since browsers forget them when rows are laid out as cards. A row renders again only when it has changed, or
// `columns`: keep those the same, so that hundreds of rows stay quick.
import { memo, useCallback, useLayoutEffect, useRef, type ReactNode } from 'react'
import { cx } from '../lib/cx.ts'
import { Checkbox } from './checkbox.tsx'

export interface Column<Row> {
  /** '' for a column of buttons: give `label` then. */
  header: string
  /** What the header says to assistive technology when it is ''. */
  label?: string
  cell: (row: Row) => ReactNode
  /** The row's own name: the first thing on its card. */
  isMain?: boolean
  /** Numbers and buttons. */
  isRight?: boolean
}

export interface Selection {
  keys: ReadonlySet<string>
  onChange: (keys: ReadonlySet<string>) => void
}

export interface TableProps<Row> {
  /** What it lists: "Sandboxes". */
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string
  /** For the row's checkbox: "Select sb-…" is made of it. */
  rowName?: (row: Row) => string
  selection?: Selection
}

export function Table<Row>({ label, columns, rows, rowKey, rowName = rowKey, selection }: TableProps<Row>) {
  const onToggle = useToggle(selection)
  return (
    <div className="overflow-x-auto rounded-lg border border-line bg-surface max-sm:border-0 max-sm:bg-transparent">
      <table role="table" aria-label={label} className="w-full border-collapse text-left max-sm:block">
        <thead role="rowgroup" className="border-b border-line max-sm:sr-only">
          <tr role="row">
            {selection && (
              <th role="columnheader" scope="col" className="w-9 py-2 pl-3">
                <SelectAll all={rows.map(rowKey)} selection={selection} />
              </th>
            )}
            {columns.map(({ header, label, isRight }) => (
              <th
                key={header || label}
                role="columnheader"
                scope="col"
                className={cx(
                  'px-3 py-2 text-xs font-medium whitespace-nowrap text-muted',
                  isRight && 'text-right',
                )}
              >
                {header === '' ? <span className="sr-only">{label}</span> : header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" className="max-sm:flex max-sm:flex-col max-sm:gap-3">
          {rows.map((row) => (
            <BodyRow
              key={rowKey(row)}
              id={rowKey(row)}
              name={rowName(row)}
              row={row}
              columns={columns}
              {...(selection ? { isSelected: selection.keys.has(rowKey(row)), onToggle } : {})}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface BodyRowProps<Row> {
  id: string
  name: string
  row: Row
  columns: readonly Column<Row>[]
  /** Left out where rows are not selected. */
  isSelected?: boolean
  onToggle?: (id: string, isOn: boolean) => void
}

const rowStyle =
  'border-b border-line last:border-0 max-sm:relative max-sm:block max-sm:rounded-lg max-sm:border max-sm:bg-surface max-sm:p-3 max-sm:last:border'

function PlainRow<Row>({ id, name, row, columns, isSelected = false, onToggle }: BodyRowProps<Row>) {
  return (
    <tr role="row" className={cx(rowStyle, isSelected ? 'bg-accent-soft' : 'hover:bg-hover/50')}>
      {onToggle && (
        <td
          role="cell"
          className="w-9 py-2 pl-3 align-middle max-sm:absolute max-sm:top-3 max-sm:right-3 max-sm:w-auto max-sm:p-0"
        >
          <Checkbox
            ariaLabel={`Select ${name}`}
            isChecked={isSelected}
            onChange={(isOn) => onToggle(id, isOn)}
          />
        </td>
      )}
      {columns.map(({ header, label, cell, isMain, isRight }) => (
        <td
          key={header || label}
          role="cell"
          className={cx(
            'px-3 py-2 align-middle max-sm:flex max-sm:items-baseline max-sm:gap-3 max-sm:p-0 max-sm:py-0.5',
            isRight && 'text-right max-sm:justify-start max-sm:text-left',
            isMain && 'max-sm:pr-8 max-sm:pb-1.5 max-sm:font-medium',
          )}
        >
          {header !== '' && !isMain && (
            <span aria-hidden className="w-24 shrink-0 text-xs text-muted sm:hidden">
              {header}
            </span>
          )}
          {cell(row)}
        </td>
      ))}
    </tr>
  )
}

/** `memo` forgets that a component is generic. */
const BodyRow = memo(PlainRow) as typeof PlainRow

/** The same function for as long as the table lives. */
function useToggle(selection: Selection | undefined): (id: string, isOn: boolean) => void {
  const latest = useRef(selection)
  useLayoutEffect(() => {
    latest.current = selection
  }, [selection])
  return useCallback((id, isOn) => {
    const keys = new Set(latest.current?.keys)
    if (isOn) keys.add(id)
    else keys.delete(id)
    latest.current?.onChange(keys)
  }, [])
}

function SelectAll({ all, selection: { keys, onChange } }: { all: readonly string[]; selection: Selection }) {
  const count = all.filter((key) => keys.has(key)).length
  return (
    <Checkbox
      ariaLabel="Select all"
      isChecked={all.length > 0 && count === all.length}
      isMixed={count > 0 && count < all.length}
      onChange={(isOn) => onChange(new Set(isOn ? all : []))}
    />
  )
}
