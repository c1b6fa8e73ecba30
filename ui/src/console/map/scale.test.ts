import { describe, expect, it } from 'vitest'
import { NEVER, SCALES, colourOf, ranges } from './scale'

function luminance(hex: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
  const [r, g, b] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

describe('scales', () => {
  it('get darker with every step, so that no hue is needed to order them', () => {
    for (const scale of Object.values(SCALES)) {
      const light = scale.map((step) => luminance(step.colour))
      expect(light).toEqual([...light].sort((a, b) => b - a))
      light.slice(1).forEach((value, at) => expect((light[at]! + 0.05) / (value + 0.05)).toBeGreaterThan(1.15))
    }
  })
  it('hold every value in one step', () => {
    expect(colourOf('open', 0)).toBe(SCALES.open[0]!.colour)
    expect(colourOf('open', 2)).toBe(SCALES.open[1]!.colour)
    expect(colourOf('days', NEVER)).toBe(SCALES.days.at(-1)!.colour)
    expect(ranges('days').map(({ from, to }) => [from, to])).toEqual([[0, 1], [2, 3], [4, 7], [8, 14], [15, null]])
  })
})
