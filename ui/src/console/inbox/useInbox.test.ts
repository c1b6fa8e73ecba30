import { describe, expect, it } from 'vitest'
import { addressOf, addressed, everything, filterOf, queryOf } from './useInbox'

describe('the question to the inbox', () => {
  it('is not said in the address where it is the usual one', () => {
    expect(addressOf(everything)).toEqual({})
    expect(addressed({})).toEqual(everything)
  })
  it('comes back from the address and from a kept view as it was', () => {
    for (const change of [{ grid: '530521103201001' }, { state: '' }, { state: '', q: '滑坡 13号' }, { conflict: true, category: 'fire' }, { claimed: true }]) {
      const filter = { ...everything, ...change }
      expect(addressed(addressOf(filter))).toEqual(filter)
      expect(filterOf(queryOf(filter).toString())).toEqual(filter)
    }
  })
  it('leaves out what it does not know', () => {
    expect(addressed({ grid: 'x', nonsense: 'y', q: ['a'] })).toEqual({ ...everything, state: '', grid: 'x' })
  })
})
