// Asks the town for a list as a file, and gives it to the browser to save.
import { ask } from '../api'

export type Format = 'xlsx' | 'csv' | 'geojson'
/** As the town has it (crates/town/src/exports.rs): the rows of a file, and whether they stand at places. */
export const LISTS = {
  hazards: { rows: 10_000, places: true },
  patrols: { rows: 10_000, places: true },
  checks: { rows: 2_000, places: false },
  tasks: { rows: 10_000, places: false },
} as const
export type List = keyof typeof LISTS
export type Filter = Record<string, string | boolean>
export const MIN_REASON_CHARS = 4

export const formatsOf = (list: List): Format[] => (LISTS[list].places ? ['xlsx', 'csv', 'geojson'] : ['xlsx', 'csv'])
/** What is not set is not asked for. */
export const asked = (filter: Record<string, string | boolean>): Filter => Object.fromEntries(Object.entries(filter).filter(([, value]) => value))

/** The name that the answer gives. */
function nameOf(response: Response, otherwise: string): string {
  return /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? otherwise
}

export async function download(list: List, format: Format, reason: string, filter: Filter): Promise<void> {
  const response = await ask('POST', `/exports/${list}.${format}`, { reason, filter })
  const url = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = url
  link.download = nameOf(response, `${list}.${format}`)
  link.click()
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
