import { describe, expect, it } from 'vitest'
import { bars, lines, type Palette } from './options'

const p: Palette = { ink: '#000', slate: '#111', line: '#222', pine: '#333', amber: '#444', red: '#555', blue: '#666' }

describe('charts', () => {
  it('have a number at every bar, and a colour of their own where one is given', () => {
    const made = bars([{ word: 'a', value: 3, colour: '#f00' }, { word: 'b', value: 0 }], p) as { yAxis: { data: string[] }; series: { data: { value: number; itemStyle: { color: string } }[]; label: { show: boolean } }[] }
    expect(made.yAxis.data).toEqual(['a', 'b'])
    expect(made.series[0]!.data.map((bar) => [bar.value, bar.itemStyle.color])).toEqual([[3, '#f00'], [0, '#333']])
    expect(made.series[0]!.label.show).toBe(true)
  })
  it('tell lines apart by more than colour', () => {
    const made = lines(['2026-01-01'], [{ word: 'x', values: [1] }, { word: 'y', values: [2] }], p) as { series: { symbol: string; lineStyle: { type: string } }[] }
    expect(new Set(made.series.map((one) => one.symbol + one.lineStyle.type)).size).toBe(2)
  })
})
