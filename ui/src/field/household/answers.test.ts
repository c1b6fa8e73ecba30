import { describe, expect, it } from 'vitest'
import { answersOf } from './answers'

describe('answers of a check', () => {
  it('are read by item; what was taken back is no answer', () => {
    const values = { 'answers.gas_hose': { answer: 'problem', note: 'n' }, 'answers.rcd': null, note: 'x', 'answers.roof': { answer: 'perhaps' } }
    expect(answersOf(values)).toEqual({ gas_hose: { answer: 'problem', note: 'n' } })
  })
})
