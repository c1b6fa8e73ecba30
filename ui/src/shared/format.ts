// Times, lengths and sizes for people. Times are UTC in storage and the town's (UTC+8) on the screen.
import type { Lang } from './i18n'

const ZONE = 'Asia/Shanghai'
const locale = (lang: Lang) => (lang === 'zh' ? 'zh-CN' : 'en-GB')

export function time(seconds: number, lang: Lang): string {
  return new Intl.DateTimeFormat(locale(lang), { timeZone: ZONE, hour: '2-digit', minute: '2-digit', hour12: false }).format(seconds * 1000)
}

/** The hour alone for today, else with the day. */
export function moment(seconds: number, lang: Lang, nowMs: number): string {
  const day = (ms: number) => new Intl.DateTimeFormat('en-CA', { timeZone: ZONE }).format(ms)
  if (day(seconds * 1000) === day(nowMs)) return time(seconds, lang)
  const parts: Intl.DateTimeFormatOptions = { timeZone: ZONE, month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false }
  return new Intl.DateTimeFormat(locale(lang), parts).format(seconds * 1000)
}

/** `YYYY-MM-DD` as a day with its weekday. */
export function day(date: string, lang: Lang): string {
  if (!date) return ''
  const parts: Intl.DateTimeFormatOptions = { timeZone: 'UTC', month: 'long', day: 'numeric', weekday: 'short' }
  return new Intl.DateTimeFormat(locale(lang), parts).format(new Date(`${date}T00:00:00Z`))
}

/** The same with its year, as a document says it. */
export function fullDay(date: string, lang: Lang): string {
  if (!date) return ''
  const parts: Intl.DateTimeFormatOptions = { timeZone: 'UTC', year: 'numeric', month: 'long', day: 'numeric' }
  return new Intl.DateTimeFormat(locale(lang), parts).format(new Date(`${date}T00:00:00Z`))
}

/** The day in the town, as `YYYY-MM-DD`. */
export const townDay = (seconds: number) => new Intl.DateTimeFormat('en-CA', { timeZone: ZONE }).format(seconds * 1000)

export function length(metres: number): string {
  if (metres < 1000) return `${Math.round(metres)} m`
  return `${(metres / 1000).toFixed(metres < 10_000 ? 2 : 1)} km`
}

export function clock(seconds: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0')
  const whole = Math.max(0, seconds)
  return `${two(whole / 3600)}:${two((whole % 3600) / 60)}:${two(whole % 60)}`
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KB`
  if (count < 1024 ** 3) return `${(count / 1024 ** 2).toFixed(1)} MB`
  return `${(count / 1024 ** 3).toFixed(1)} GB`
}

export function degrees(at: { lat: number; lon: number }): string {
  return `${at.lat.toFixed(5)}, ${at.lon.toFixed(5)}`
}
