import { describe, expect, it } from 'vitest'
import { ref } from 'vue'
import type { Row } from '../api'
import { everything, filterOf, queryOf } from './useInbox'
import { useSelection } from './useSelection'

const rows = ref(['a', 'b', 'c', 'd'].map((id) => ({ id }) as Row))

describe('the selection', () => {
  it('extends from the last one toggled, in either direction', () => {
    const { selected, toggle, extend, clear } = useSelection(rows)
    toggle('c')
    extend('a')
    expect(selected.value.map((row) => row.id)).toEqual(['a', 'b', 'c'])
    toggle('b')
    expect(selected.value.map((row) => row.id)).toEqual(['a', 'c'])
    clear()
    expect(selected.value).toEqual([])
  })
  it('holds only what is on the list', () => {
    const { selected, toggle } = useSelection(rows)
    toggle('gone')
    expect(selected.value).toEqual([])
  })
})

describe('a saved view', () => {
  it('asks again what was asked', () => {
    const filter = { ...everything, state: '', stage: 'new', q: '滑坡', overdue: true }
    expect(filterOf(queryOf(filter).toString())).toEqual(filter)
  })
})
