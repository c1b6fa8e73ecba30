// ECharts options of the figures: the tokens' colours, words with every value, no movement.
import type { EChartsOption } from './engine'

export interface Palette { ink: string; slate: string; line: string; pine: string; amber: string; red: string; blue: string }
export interface Bar { word: string; value: number; colour?: string }

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return { ink: of('ink'), slate: of('slate'), line: of('line'), pine: of('pine'), amber: of('amber'), red: of('red'), blue: of('blue') }
}

const FONT = "'PingFang SC', 'Noto Sans CJK SC', 'Noto Sans SC', 'Microsoft YaHei', system-ui, sans-serif"

function base(p: Palette): EChartsOption {
  return { animation: false, textStyle: { fontFamily: FONT, fontSize: 13, color: p.ink }, color: [p.blue, p.pine, p.amber, p.red] }
}

/** Horizontal bars with their number at the end, the first on top. */
export function bars(rows: Bar[], p: Palette): EChartsOption {
  return {
    ...base(p),
    grid: { left: 8, right: 48, top: 4, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: { type: 'value', show: false, max: (range: { max: number }) => Math.max(1, range.max) },
    yAxis: { type: 'category', inverse: true, data: rows.map((row) => row.word), axisTick: { show: false }, axisLine: { lineStyle: { color: p.line } }, axisLabel: { color: p.ink, fontSize: 13, interval: 0, width: 180, overflow: 'truncate' } },
    series: [{
      type: 'bar',
      barMaxWidth: 20,
      data: rows.map((row) => ({ value: row.value, itemStyle: { color: row.colour ?? p.pine } })),
      label: { show: true, position: 'right', color: p.ink, fontSize: 13 },
    }],
  }
}

/** Two lines over days, told apart by their dashes and signs too. */
export function lines(days: string[], series: { word: string; values: number[] }[], p: Palette): EChartsOption {
  const looks = [{ color: p.blue, type: 'solid', symbol: 'circle' }, { color: p.pine, type: 'dashed', symbol: 'rect' }] as const
  return {
    ...base(p),
    legend: { data: series.map((one) => one.word), top: 0, right: 0, itemWidth: 30, textStyle: { color: p.ink, fontSize: 13 } },
    tooltip: { trigger: 'axis', renderMode: 'richText', backgroundColor: '#fff', borderColor: p.line, textStyle: { color: p.ink, fontFamily: FONT } },
    grid: { left: 8, right: 16, top: 36, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: { type: 'category', data: days.map((day) => day.slice(5)), axisLine: { lineStyle: { color: p.slate } }, axisTick: { show: false }, axisLabel: { color: p.slate, fontSize: 12 } },
    yAxis: { type: 'value', minInterval: 1, splitLine: { lineStyle: { color: p.line } }, axisLabel: { color: p.slate, fontSize: 12 } },
    series: series.map((one, at) => {
      const look = looks[at] ?? looks[0]
      return { type: 'line', name: one.word, data: one.values, symbol: look.symbol, symbolSize: 6, showSymbol: days.length < 40, lineStyle: { color: look.color, width: 2.5, type: look.type }, itemStyle: { color: look.color } }
    }),
  }
}
