// What the page of notices asks of the town.
import { computed, ref } from 'vue'
import { admin } from '../admin/api'
import { call } from '../api'
import { me, roster } from '../session'

export interface Notice {
  id: string; title: string; text: string; until: string; grids: string[]; roles: string[]; author: string; received_at: number
  state: 'holds' | 'ended' | 'withdrawn'
}
export interface NewNotice { title: string; text: string; until: string; grids: string[]; roles: string[] }

export const notices = {
  list: () => call<{ rows: Notice[] }>('GET', '/notices'),
  give: (notice: NewNotice) => call('POST', '/notices', notice),
  withdraw: (id: string) => call('POST', `/notices/${id}/withdraw`, {}),
}

const VILLAGE_DIGITS = 12
const town = ref<{ code: string; name: string; village: string; village_name: string }[]>([])

/** The grids that the person may speak to, and their villages. */
export function useGrids() {
  if (me.value?.role === 'admin') {
    if (!town.value.length) void admin.grids().then((answer) => (town.value = answer.grids)).catch(() => undefined)
  }
  const grids = computed(() => {
    if (me.value?.role === 'admin') return town.value
    return (roster.value?.grids ?? []).map((grid) => ({ ...grid, village: grid.code.slice(0, VILLAGE_DIGITS) }))
  })
  /** A supervisor's roster names grids alone. */
  const villages = computed(() => [...new Map(town.value.map((grid) => [grid.village, grid.village_name]))].map(([code, name]) => ({ code, name })))
  const nameOf = (code: string) => grids.value.find((grid) => grid.code === code)?.name ?? code
  return { grids, villages, nameOf }
}
