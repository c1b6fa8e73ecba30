import { describe, expect, it } from 'vitest'
import { bytes, clock, day, length, moment } from './format'

describe('format', () => {
  it('shows the time of the town, whatever the device says', () => {
    // 2026-11-24 16:30 UTC is half past midnight of the 25th in Yunnan.
    const at = Date.UTC(2026, 10, 24, 16, 30) / 1000
    expect(moment(at, 'en', at * 1000)).toBe('00:30')
    expect(moment(at, 'en', (at + 86_400) * 1000)).toContain('25 Nov')
  })
  it('shows metres below a kilometre', () => {
    expect([length(49.6), length(1234), length(23_456)]).toEqual(['50 m', '1.23 km', '23.5 km'])
  })
  it('counts hours, minutes, seconds', () => {
    expect(clock(3725)).toBe('01:02:05')
  })
  it('shows sizes', () => {
    expect([bytes(900), bytes(2048), bytes(3 * 1024 * 1024)]).toEqual(['900 B', '2.0 KB', '3.0 MB'])
  })
  it('shows a due day as it stands, without a shift of zones', () => {
    expect(day('2026-12-02', 'en')).toContain('2 December')
  })
})
