// Days of the town's calendar (UTC+8), `YYYY-MM-DD`.
const DAY_MS = 24 * 3600 * 1000
const OFFSET_MS = 8 * 3600 * 1000

export const dayOf = (ms: number): string => new Date(ms + OFFSET_MS).toISOString().slice(0, 10)

export const plusDays = (day: string, days: number): string => new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)

/** Every day from one to another, both included. */
export function daysFrom(from: string, to: string): string[] {
  const days: string[] = []
  for (let day = from; day <= to; day = plusDays(day, 1)) days.push(day)
  return days
}

/** Whole days of the calendar between a moment (in seconds) and a day. */
export function daysSince(atS: number, day: string): number {
  return Math.round((Date.parse(`${day}T00:00:00Z`) - Date.parse(`${dayOf(atS * 1000)}T00:00:00Z`)) / DAY_MS)
}
