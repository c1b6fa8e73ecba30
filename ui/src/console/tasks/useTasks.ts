// The tasks that a filter asks for.
import { ref, type Ref } from 'vue'
import { api, type TaskRow } from '../api'
import { useFailure } from '../failure'

export interface TaskFilter { state: string; mine: boolean; overdue: boolean; assignee: string; grid: string; q: string }

export function useTasks() {
  const filter = ref<TaskFilter>({ state: 'active', mine: false, overdue: false, assignee: '', grid: '', q: '' })
  const rows: Ref<TaskRow[]> = ref([])
  const next = ref<string | null>(null)
  const failure = ref('')
  const loading = ref(true)
  const { words } = useFailure()
  let asked = 0

  const query = (after: string) => {
    const said = new URLSearchParams()
    for (const [key, value] of Object.entries({ ...filter.value, after })) if (value) said.set(key, String(value))
    return said
  }
  async function load() {
    const mine = ++asked
    try {
      const page = await api.tasks(query(''))
      if (mine !== asked) return
      rows.value = page.rows
      next.value = page.next
      failure.value = ''
    } catch (error) {
      if (mine === asked) failure.value = words(error)
    }
    loading.value = false
  }
  async function more() {
    if (!next.value) return
    const page = await api.tasks(query(next.value)).catch(() => null)
    if (!page) return
    rows.value = [...rows.value, ...page.rows]
    next.value = page.next
  }
  return { filter, rows, next, failure, loading, load, more }
}
