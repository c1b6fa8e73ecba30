// The town's grids by village, asked for once in a window.
import { computed, ref } from 'vue'
import { me } from '../session'
import { admin, type Grid } from './api'

const grids = ref<Grid[]>([])

export function useTown() {
  // Supervisors have the names of their own grids elsewhere.
  if (!grids.value.length && me.value?.role === 'admin') void admin.grids().then((answer) => (grids.value = answer.grids)).catch(() => undefined)
  const villages = computed(() => {
    const found = new Map<string, { code: string; name: string; grids: Grid[] }>()
    for (const grid of grids.value) {
      const village = found.get(grid.village) ?? { code: grid.village, name: grid.village_name, grids: [] }
      village.grids.push(grid)
      found.set(grid.village, village)
    }
    return [...found.values()]
  })
  const nameOf = (code: string) => grids.value.find((grid) => grid.code === code)?.name ?? code
  return { grids, villages, nameOf }
}
