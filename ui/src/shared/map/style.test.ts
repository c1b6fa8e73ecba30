import { describe, expect, it } from 'vitest'
import { bounds, trackFeatures } from './style'

const at = (lat: number, lon: number) => ({ lat, lon })

describe('track on the map', () => {
  it('draws a gap as a gap', () => {
    const drawn = trackFeatures([[at(1, 1), at(1, 2)], [at(1, 3), at(1, 4)]]) as { features: { properties: { gap: boolean } }[] }
    expect(drawn.features.map((f) => f.properties.gap)).toEqual([false, true, false])
  })
  it('has no bounds without a fix', () => {
    expect(bounds([])).toBeNull()
    expect(bounds([[at(1, 5), at(3, 4)]])).toEqual([[4, 1], [5, 3]])
  })
})
