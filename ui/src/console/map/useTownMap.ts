// What the map draws: shapes with their numbers, and what lies in view, on the day that is looked at.
import type { FeatureCollection } from 'geojson'
import { computed, onMounted, reactive, ref, shallowRef, watch } from 'vue'
import { counts, type DueRow, type GridShapes, type Lines, type Marks } from '../counts/counts'
import { dayOf, daysSince, plusDays } from '../counts/days'
import { useAsked } from '../counts/useAsked'
import { useLive } from '../live'
import type { Source } from './layers'
import { NEVER, colourOf, type Mode } from './scale'

/** How far back the slider goes. */
export const SLIDER_DAYS = 30
const PATROL_DAYS = 7
const SIGN: Record<string, string> = { major: '!!', serious: '!' }
const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] }

export function useTownMap(shortName: (code: string) => string) {
  const today = dayOf(Date.now())
  const state = reactive({ mode: 'open' as Mode, back: 0, hazards: true, patrols: true, bbox: '' })
  const day = computed(() => plusDays(today, -state.back))
  const chosen = ref('')
  const shapes = shallowRef<GridShapes | null>(null)
  const households = shallowRef<DueRow[]>([])
  const { answer: coverage, failure, load } = useAsked(() => counts.coverage({ days: PATROL_DAYS, on: day.value }))
  const hazards = useAsked<Marks>(() => counts.hazards({ bbox: state.bbox, on: day.value }))
  const patrols = useAsked<Lines>(() => counts.patrols({ bbox: state.bbox, on: day.value, days: PATROL_DAYS }))

  const rows = computed(() => new Map(coverage.value?.grids.map((row) => [row.grid, row])))
  function numberOf(code: string): number {
    const row = rows.value.get(code)
    if (!row) return 0
    if (state.mode === 'open') return row.open
    return row.last_patrol_at === null ? NEVER : daysSince(row.last_patrol_at, day.value)
  }
  const grids = computed(() => {
    const features = (shapes.value?.features ?? []).map((shape) => {
      const { code } = shape.properties
      return { ...shape, properties: { code, colour: colourOf(state.mode, numberOf(code)), chosen: code === chosen.value } }
    })
    return { type: 'FeatureCollection' as const, features }
  })
  const labels = computed(() => {
    const features = (shapes.value?.features ?? []).map((shape) => {
      const ring = shape.geometry.coordinates[0]?.[0]?.slice(1) ?? []
      const middle = (at: number) => ring.reduce((sum, corner) => sum + corner[at]!, 0) / Math.max(1, ring.length)
      const { code } = shape.properties
      const number = numberOf(code)
      return { type: 'Feature' as const, properties: { number: number === NEVER ? '–' : String(number), name: shortName(code) }, geometry: { type: 'Point' as const, coordinates: [middle(0), middle(1)] } }
    })
    return { type: 'FeatureCollection' as const, features }
  })
  const marks = computed(() => {
    const features = (state.hazards ? hazards.answer.value?.features : []) ?? []
    return { type: 'FeatureCollection' as const, features: features.map((mark) => ({ ...mark, properties: { ...mark.properties, sign: SIGN[mark.properties.severity] ?? '·' } })) }
  })
  const places = computed(() => ({
    type: 'FeatureCollection' as const,
    features: households.value.filter((row) => row.position).map((row) => ({ type: 'Feature' as const, properties: { id: row.id }, geometry: { type: 'Point' as const, coordinates: row.position! } })),
  }))
  const data = computed<Record<Source, FeatureCollection>>(() => ({
    grids: grids.value,
    labels: labels.value,
    patrols: (state.patrols && patrols.answer.value) || NOTHING,
    hazards: marks.value,
    households: places.value,
  }))

  function inView() {
    if (!state.bbox) return
    if (state.hazards) void hazards.load()
    if (state.patrols) void patrols.load()
  }
  async function refresh() {
    await load()
    inView()
  }
  /** Households are read on purpose only, never because the map was moved. */
  async function readHouseholds() {
    const page = await counts.due({ bbox: state.bbox }).catch(() => null)
    households.value = page?.rows ?? []
    return households.value.length
  }
  onMounted(async () => {
    void load()
    shapes.value = await counts.grids().catch(() => null)
  })
  watch(() => [state.bbox, state.hazards, state.patrols], inView)
  watch(day, () => void refresh())
  // Whatever changed, the numbers may have; many changes in one moment are one question.
  let soon: ReturnType<typeof setTimeout> | undefined
  useLive(() => {
    clearTimeout(soon)
    soon = setTimeout(() => void refresh(), 1_000)
  })
  return { state, day, today, chosen, coverage, rows, failure, data, shapes, households, readHouseholds }
}
