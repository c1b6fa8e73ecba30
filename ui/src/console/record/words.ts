// The values of a record as a person reads them.
import { clock, day, degrees, length, moment } from '@shared/format'
import type { Lang } from '@shared/i18n'
import { useI18n } from 'vue-i18n'
import type { Roster } from '../api'

const TIMES = ['seen_at', 'started_at', 'ended_at', 'checked_at']
const CLOSED = ['category', 'severity', 'status', 'team', 'outcome', 'what', 'occupants']

export function useWords(roster: () => Roster | null, names: () => Record<string, string>) {
  const { t, te, locale } = useI18n()
  const word = (list: string, value: string) => (te(`words.${list}.${value}`, 'zh') ? t(`words.${list}.${value}`) : value)
  const name = (path: string) => {
    const key = path.split('.')[0] ?? path
    if (te(`console.field.${key}`, 'zh')) return t(`console.field.${key}`)
    return te(`field.${key}`, 'zh') ? t(`field.${key}`) : path
  }
  const when = (seconds: number) => moment(seconds, locale.value as Lang, Date.now())
  const grid = (code: string) => roster()?.grids.find((one) => one.code === code)?.name ?? code
  const person = (id: string) => names()[id] || roster()?.people.find((one) => one.id === id)?.name || id
  function inWords(path: string, value: unknown): string {
    if (value === null || value === undefined) return t('console.nothing')
    if (path === 'grid') return grid(String(value))
    if (path === 'assignee' || path === 'claimed_by') return person(String(value))
    if (CLOSED.includes(path)) return word(path, String(value))
    if (TIMES.includes(path) && typeof value === 'number') return when(value)
    if (path === 'recorded_at') return when((value as { at: number }).at)
    if (path === 'position') {
      const at = value as { lat: number; lon: number }
      return degrees({ lat: at.lat / 1e7, lon: at.lon / 1e7 })
    }
    if (path === 'transfer') {
      const to = value as { unit: string; answer?: string }
      return [to.unit, to.answer].filter(Boolean).join(' · ')
    }
    if (path === 'due_on') return day(String(value), locale.value as Lang)
    if (path === 'distance_cm') return length(Number(value) / 100)
    if (path === 'duration_s' || path === 'gap_s') return clock(Number(value))
    if (path === 'need_help') {
      const { count, consent_version, consent_at } = value as { count: number; consent_version: string; consent_at: number }
      return [count, t('console.consented', { version: consent_version, when: when(consent_at) })].join(' · ')
    }
    if (path === 'consent') {
      const { notice_version, at } = value as { notice_version: string; at: number }
      return t('console.consented', { version: notice_version, when: when(at) })
    }
    if (path === 'recheck') {
      const { by, at, passed } = value as { by: string; at: number; passed: boolean }
      return [t(passed ? 'console.passed' : 'console.failed'), person(by), when(at)].join(' · ')
    }
    if (path.startsWith('answers.')) {
      const { answer, note } = value as { answer: string; note?: string }
      return [t(`check.${answer}`), note].filter(Boolean).join(' · ')
    }
    if (path === 'rectification') return String((value as { measures: string }).measures)
    if (Array.isArray(value)) return value.map((one) => inWords(path === 'grids' ? 'grid' : '', one)).join(t('console.and'))
    return typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
  return { word, name, when, grid, person, inWords }
}
