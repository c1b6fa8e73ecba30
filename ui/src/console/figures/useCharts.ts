// The charts of one answer: words, order, colours, and the table beside each.
import { CATEGORIES, SEVERITIES } from '@shared/icons'
import { computed, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Figures } from '../counts/counts'
import { daysFrom } from '../counts/days'
import { roster } from '../session'
import type { EChartsOption } from './engine'
import { bars, lines, palette, type Bar } from './options'

const STATES = ['reported', 'returned', 'verified', 'assigned', 'rectifying', 'rectified', 'transferred', 'closed', 'merged', 'unfounded']
const ROW_PX = 28
/** Bars of grids in the chart; the table has all of them. */
const GRID_BARS = 15

export interface Chart { name: string; title: string; option: EChartsOption; heads: string[]; rows: (string | number)[][]; height: number; empty: boolean; wide?: boolean }

export function useCharts(figures: Ref<Figures | null>) {
  const { t } = useI18n()
  const nameOf = (code: string) => roster.value?.grids.find((grid) => grid.code === code)?.name ?? code

  function barred(name: string, all: Bar[], heads: string[], height?: number): Chart {
    const shown = all.filter((bar) => bar.value > 0)
    return { name, title: t(`console.figures.${name}`), option: bars(shown, palette()), heads, rows: all.map((bar) => [bar.word, bar.value]), height: height ?? Math.max(2, shown.length) * ROW_PX + 8, empty: shown.length === 0 }
  }
  const charts = computed<Chart[]>(() => {
    const found = figures.value
    if (!found) return []
    const p = palette()
    const count = t('console.figures.count')
    const days = daysFrom(found.from, found.to)
    const on = (day: string) => found.by_day[day] ?? { reported: 0, closed: 0 }
    const categories = CATEGORIES.map((word) => ({ word: t(`words.category.${word}`), value: found.by_category[word] ?? 0 })).sort((a, b) => b.value - a.value)
    const severities = SEVERITIES.map((word) => ({ word: t(`words.severity.${word}`), value: found.by_severity[word] ?? 0, colour: { major: p.red, serious: p.amber }[word as string] ?? p.pine })).reverse()
    const states = STATES.map((word) => ({ word: t(`words.status.${word}`), value: found.by_status[word] ?? 0, colour: p.blue }))
    const grids = Object.entries(found.by_grid).sort(([, a], [, b]) => b.open - a.open)
    const { devices } = found.now
    const contacts = (['day', 'week', 'month', 'longer', 'never'] as const).map((word) => ({ word: t(`console.figures.contact.${word}`), value: devices[word], colour: p.slate }))
    const risks = (['high', 'medium', 'low', 'unknown'] as const).map((level) => ({ level, told: found.households.all[level] }))
    const colours = { high: p.red, medium: p.amber, low: p.pine, unknown: p.slate }
    const numbers = risks.filter(({ told }) => typeof told === 'number')
    return [
      {
        name: 'by_day', title: t('console.figures.by_day'), height: 260, wide: true, empty: found.reported + found.closing.closed === 0,
        option: lines(days, [{ word: t('console.figures.reported'), values: days.map((day) => on(day).reported) }, { word: t('console.figures.closed'), values: days.map((day) => on(day).closed) }], p),
        heads: [t('console.figures.day'), t('console.figures.reported'), t('console.figures.closed')], rows: days.map((day) => [day, on(day).reported, on(day).closed]),
      },
      barred('by_category', categories, [t('field.category'), count]),
      barred('by_status', states, [t('field.status'), count]),
      barred('by_severity', severities, [t('field.severity'), count]),
      {
        name: 'by_risk', title: t('console.figures.by_risk'), empty: false, height: Math.max(2, numbers.length) * ROW_PX + 8,
        option: bars(numbers.map(({ level, told }) => ({ word: t(`console.figures.risk.${level}`), value: told as number, colour: colours[level] })), p),
        heads: [t('console.figures.risk_head'), t('console.figures.households')],
        rows: risks.map(({ level, told }) => [t(`console.figures.risk.${level}`), told ?? t('console.counts.withheld')]),
      },
      {
        name: 'by_grid', title: t('console.figures.by_grid', { n: GRID_BARS }), empty: grids.length === 0,
        option: bars(grids.slice(0, GRID_BARS).map(([code, row]) => ({ word: nameOf(code), value: row.open })), p), height: Math.min(GRID_BARS, Math.max(2, grids.length)) * ROW_PX + 8,
        heads: ['grid', 'reported', 'closed', 'open', 'overdue'].map((head) => t(`console.figures.${head}`)),
        rows: grids.map(([code, row]) => [nameOf(code), row.reported, row.closed, row.open, row.overdue]),
      },
      barred('devices', contacts, [t('console.figures.contact_head'), count]),
    ]
  })
  return { charts }
}
