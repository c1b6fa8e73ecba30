import { describe, expect, it } from 'vitest'
import { isInvite } from './invite'

describe('invite', () => {
  it('is told from other text', () => {
    expect(isInvite('  yaoguan://enrol?town=https%3A%2F%2Fx&code=y ')).toBe(true)
    expect(isInvite('https://example.org')).toBe(false)
  })
})
