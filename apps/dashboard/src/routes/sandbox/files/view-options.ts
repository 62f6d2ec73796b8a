import type { SortBy } from './arrange.ts'

/** How folders are shown, whichever it is. */
export interface ViewOptions {
  sortBy: SortBy
  showsHidden: boolean
}
