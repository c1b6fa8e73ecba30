// Asks the town for a list as a file, and gives it to the browser to save.
import { ask } from '../api'

export const FORMATS = ['xlsx', 'csv', 'geojson'] as const
export type Format = (typeof FORMATS)[number]
/** As the town has it (crates/town/src/exports.rs). */
export const MIN_REASON_CHARS = 4

/** The name that the answer gives. */
function nameOf(response: Response, otherwise: string): string {
  return /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? otherwise
}

export async function download(list: string, format: Format, reason: string, filter: Record<string, string | boolean>): Promise<void> {
  const response = await ask('POST', `/exports/${list}.${format}`, { reason, filter })
  const url = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = url
  link.download = nameOf(response, `${list}.${format}`)
  link.click()
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
