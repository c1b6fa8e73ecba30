// The rows that a filter asks for, what waits in each view, and which rows came in while the page was open.
import { ref, type Ref } from 'vue'
import { api, type Row, type Waiting } from '../api'
import { useFailure } from '../failure'

export interface Filter {
  state: string; stage: string; category: string; severity: string; grid: string; q: string
  conflict: boolean; overdue: boolean; claimed: boolean
}
export const everything: Filter = { state: 'open', stage: '', category: '', severity: '', grid: '', q: '', conflict: false, overdue: false, claimed: false }

export function queryOf(filter: Filter, after = ''): URLSearchParams {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries({ ...filter, after })) if (value) query.set(key, String(value))
  return query
}
/** Everything that is unfinished, or what is new: what nobody is on stands on top of these. */
export const isGeneral = (filter: Filter) => ['state=open', 'state=open&stage=new'].includes(queryOf(filter).toString())

/** Reads what [`queryOf`] wrote; what it does not know is left out. */
export function filterOf(query: string): Filter {
  const said = new URLSearchParams(query)
  const filter: Filter = { ...everything, state: '' }
  for (const key of ['state', 'stage', 'category', 'severity', 'grid', 'q'] as const) filter[key] = said.get(key) ?? ''
  for (const key of ['conflict', 'overdue', 'claimed'] as const) filter[key] = said.get(key) === 'true'
  return filter
}

/** The filter as the address of the page has it; the usual one is not said. */
export function addressOf(filter: Filter): Record<string, string> {
  const query = queryOf(filter)
  if (query.toString() === queryOf(everything).toString()) return {}
  if (!query.size) query.set('state', '')
  return Object.fromEntries(query)
}
/** Reads what [`addressOf`] made. */
export function addressed(query: Record<string, unknown>): Filter {
  const said = Object.entries(query).filter((one): one is [string, string] => typeof one[1] === 'string')
  return said.length ? filterOf(new URLSearchParams(said).toString()) : { ...everything }
}

/** Pages that are asked for again when something changed. */
const MOST_PAGES = 6

export function useInbox(begin: Filter) {
  const filter = ref<Filter>(begin)
  const rows: Ref<Row[]> = ref([])
  const waiting = ref<Waiting | null>(null)
  const next = ref<string | null>(null)
  const failure = ref('')
  const loading = ref(true)
  const fresh = ref(new Set<string>())
  const { words } = useFailure()
  let asked = 0
  /** The question that the rows answer. */
  let shown = ''

  /** As many rows as there were: what was loaded piece by piece stays. */
  async function pages(count: number) {
    let { rows: found, next: after } = await api.hazards(queryOf(filter.value))
    for (let n = 1; after && found.length < count && n < MOST_PAGES; n += 1) {
      const page = await api.hazards(queryOf(filter.value, after))
      found = [...found, ...page.rows]
      after = page.next
    }
    return { found, after }
  }
  /** What is there stays where it is, so that nothing moves under somebody's hand; what is new comes on top. */
  function inPlace(found: Row[]): Row[] {
    const place = new Map(rows.value.map((row, at) => [row.id, at]))
    const rank = (row: Row) => place.get(row.id) ?? -1
    return [...found].sort((a, b) => rank(a) - rank(b))
  }
  async function load(changed: string[] = []) {
    const mine = ++asked
    const question = queryOf(filter.value).toString()
    const same = question === shown
    try {
      const [{ found, after }, now] = await Promise.all([pages(same ? rows.value.length : 0), api.waiting()])
      // An answer that was overtaken by a later question is not shown.
      if (mine !== asked) return
      waiting.value = now
      // What nobody is on stands on top, once.
      const top = isGeneral(filter.value) ? now.urgent : []
      const urgent = new Set(top.map((row) => row.id))
      const below = found.filter((row) => !urgent.has(row.id))
      rows.value = [...top, ...(same ? inPlace(below) : below)]
      shown = question
      next.value = after
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
  return { filter, rows, waiting, next, failure, loading, fresh, load, more }
}
