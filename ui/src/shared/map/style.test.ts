import { describe, expect, it } from 'vitest'
import type { Row } from '../types/field'
import { hazardFeatures } from './hazards'
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

describe('hazards on the map', () => {
  it('show category, severity and a state that matters, and only what has a place', () => {
    const row = (more: Partial<Row>) => ({ id: 'a', severity: 'major', category: 'fire', state: 'received', position: at(1, 2), ...more }) as Row
    const drawn = hazardFeatures([row({}), row({ id: 'b', state: 'returned' }), row({ id: 'c', position: null })]) as { features: { properties: object }[] }
    expect(drawn.features.map((f) => f.properties)).toEqual([
      { id: 'a', severity: 'major', category: 'category-fire' },
      { id: 'b', severity: 'major', category: 'category-fire', badge: 'state-returned' },
    ])
  })
})
