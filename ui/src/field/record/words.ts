// The value of a register in words.
import { clock, day, degrees, length, moment } from '@shared/format'
import type { Lang } from '@shared/i18n'
import { useI18n } from 'vue-i18n'
import { pointOf } from '../forms/place'

/** Registers that the page shows elsewhere, or that say nothing to a person. */
const HIDDEN = new Set(['line', 'track', 'source', 'source_key', 'template', 'template_version', 'household', 'about', 'patrol', 'assignee', 'claimed_by', 'grid', 'severity', 'title', 'consent'])
const TIMES = new Set(['seen_at', 'started_at', 'ended_at', 'checked_at'])

export function isShown(path: string): boolean {
  return !HIDDEN.has(path) && !path.startsWith('answers.') && !path.startsWith('photos.')
}

export function useWords() {
  const { t, te, locale } = useI18n()
  const name = (path: string): string => (te(`field.${path}`) ? t(`field.${path}`) : path)
  function inWords(path: string, value: unknown): string {
    const lang = locale.value as Lang
    if (value === null || value === undefined) return t('record.removed')
    if (path === 'position') {
      const at = pointOf(value)
      return at ? degrees(at) : ''
    }
    if (TIMES.has(path)) return moment(Number(value), lang, Date.now())
    if (path === 'due_on') return day(String(value), lang)
    if (path === 'distance_cm') return length(Number(value) / 100)
    if (path === 'duration_s' || path === 'gap_s') return clock(Number(value))
    if (path === 'rectification') return String((value as { measures?: string }).measures ?? '')
    if (path === 'transfer') return String((value as { unit?: string }).unit ?? '')
    if (path === 'recheck') return t((value as { passed?: boolean }).passed ? 'record.passed' : 'record.not_passed')
    if (path === 'need_help') return String((value as { count?: number }).count ?? '')
    const key = `words.${path}.${String(value)}`
    return typeof value === 'string' && te(key) ? t(key) : String(value)
  }
  return { name, inWords }
}
