// Which rows are selected: one by one, or from the last one to this.
import { computed, ref, type Ref } from 'vue'
import type { Row } from '../api'

export function useSelection(rows: Ref<Row[]>) {
  const chosen = ref(new Set<string>())
  let anchor = ''
  const selected = computed(() => rows.value.filter((row) => chosen.value.has(row.id)))

  function toggle(id: string) {
    const now = new Set(chosen.value)
    if (!now.delete(id)) now.add(id)
    chosen.value = now
    anchor = id
  }
  /** Everything between the last one that was toggled and this one. */
  function extend(id: string) {
    const ids = rows.value.map((row) => row.id)
    const [from, to] = [ids.indexOf(anchor), ids.indexOf(id)]
    if (from < 0 || to < 0) return toggle(id)
    chosen.value = new Set([...chosen.value, ...ids.slice(Math.min(from, to), Math.max(from, to) + 1)])
  }
  function clear() {
    chosen.value = new Set()
    anchor = ''
  }
  return { chosen, selected, toggle, extend, clear }
}
