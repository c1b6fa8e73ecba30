// The rows that a filter asks for, and which of them came in while the page was open.
import { ref, type Ref } from 'vue'
import { api, type Row } from '../api'
import { useFailure } from '../failure'

export interface Filter { state: string; category: string; severity: string; grid: string; q: string; conflict: boolean; overdue: boolean }
export const everything: Filter = { state: 'open', category: '', severity: '', grid: '', q: '', conflict: false, overdue: false }

export function queryOf(filter: Filter, after: string): URLSearchParams {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries({ ...filter, after })) if (value) query.set(key, String(value))
  return query
}

export function useInbox() {
  const filter = ref<Filter>({ ...everything })
  const rows: Ref<Row[]> = ref([])
  const next = ref<string | null>(null)
  const failure = ref('')
  const loading = ref(true)
  const fresh = ref(new Set<string>())
  const { words } = useFailure()
  let asked = 0

  async function load(changed: string[] = []) {
    const mine = ++asked
    try {
      const page = await api.hazards(queryOf(filter.value, ''))
      // An answer that was overtaken by a later question is not shown.
      if (mine !== asked) return
      rows.value = page.rows
      next.value = page.next
      fresh.value = new Set([...fresh.value, ...changed])
      failure.value = ''
    } catch (error) {
      if (mine === asked) failure.value = words(error)
    }
    loading.value = false
  }
  async function more() {
    if (!next.value) return
    const page = await api.hazards(queryOf(filter.value, next.value)).catch(() => null)
    if (!page) return
    const there = new Set(rows.value.map((row) => row.id))
    rows.value = [...rows.value, ...page.rows.filter((row) => !there.has(row.id))]
    next.value = page.next
  }
  return { filter, rows, next, failure, loading, fresh, load, more }
}
