import { describe, expect, it } from 'vitest'
import { dayOf, daysFrom, daysSince, plusDays } from './days'

describe('days', () => {
  it('begin at midnight in the town', () => {
    expect(dayOf(1_772_294_400_000)).toBe('2026-03-01')
    expect(dayOf(1_772_294_399_000)).toBe('2026-02-28')
    expect(plusDays('2026-02-28', 1)).toBe('2026-03-01')
    expect(daysFrom('2026-02-27', '2026-03-02')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02'])
  })
  it('are counted by the calendar, not by hours', () => {
    expect(daysSince(1_772_294_400 - 60, '2026-03-01')).toBe(1)
    expect(daysSince(1_772_294_400 + 60, '2026-03-01')).toBe(0)
  })
})
