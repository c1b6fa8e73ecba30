import { describe, expect, it } from 'vitest'
import { chosen, found, pointOf } from './place'

describe('place', () => {
  it('is absent without a fix, never 0,0', () => {
    expect(found(null)).toBeNull()
    expect(pointOf(undefined)).toBeNull()
  })
  it('says whether a person moved it', () => {
    expect(chosen({ lat: 1, lon: 2 })).toEqual({ lat: 1, lon: 2, source: 'map' })
    expect(pointOf({ lat: 246000000, lon: 992000000 })).toEqual({ lat: 24.6, lon: 99.2 })
  })
})
