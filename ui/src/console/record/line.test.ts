import { expect, it } from 'vitest'
import { decodeLine } from './line'

it("reads the format's own example", () => {
  expect(decodeLine('_p~iF~ps|U_ulLnnqC_mqNvxq`@')).toEqual([{ lat: 38.5, lon: -120.2 }, { lat: 40.7, lon: -120.95 }, { lat: 43.252, lon: -126.453 }])
})
