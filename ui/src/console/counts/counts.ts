// What the town counts: shapes of its answers, and how they are asked for.
import type { FeatureCollection, MultiLineString, MultiPolygon, Point } from 'geojson'
import { call } from '../api'

/** A number of households: under five it is not told, and nothing that would give such a one away is. */
export type Told = number | '<5' | null
export interface HouseholdCounts { high: Told; medium: Told; low: Told; unknown: Told; all: Told; due: Told }
export interface GridHazards { reported: number; closed: number; open: number; overdue: number }
export interface Figures {
  from: string
  to: string
  reported: number
  by_category: Record<string, number>
  by_severity: Record<string, number>
  by_status: Record<string, number>
  by_grid: Record<string, GridHazards>
  by_day: Record<string, { reported: number; closed: number }>
  rectified: { done: number; of: number }
  closing: { closed: number; median_s: number | null; p90_s: number | null }
  now: {
    open: number
    overdue: number
    held: number
    conflicts: { hazards: number; patrols: number; households: Told }
    devices: { day: number; week: number; month: number; longer: number; never: number }
  }
  households: { by_grid: Record<string, HouseholdCounts>; all: HouseholdCounts }
}
export interface GridCoverage { grid: string; patrols: number; distance_cm: number; last_patrol_at: number | null; open: number; households: HouseholdCounts }
export interface Coverage { grids: GridCoverage[]; households: HouseholdCounts }
export interface DueRow { id: string; grid: string; address: string; due_on: string; risk: string; checked_at: number | null; position: [number, number] | null }
export interface DuePage { rows: DueRow[]; next: string | null }
export type GridShapes = FeatureCollection<MultiPolygon, { code: string; name: string; village: string; invented: boolean }>
export type Marks = FeatureCollection<Point, { count: number; severity: string; id: string; category: string }>
export type Lines = FeatureCollection<MultiLineString, { id: string; grid: string; at: number }> & { more: boolean }

type Asked = Record<string, string | number>

function query(asked: Asked): string {
  const wanted = Object.entries(asked).filter(([, value]) => value !== '')
  return new URLSearchParams(wanted.map(([key, value]) => [key, String(value)])).toString()
}

export const counts = {
  figures: (asked: Asked) => call<Figures>('GET', `/figures?${query(asked)}`),
  coverage: (asked: Asked) => call<Coverage>('GET', `/coverage?${query(asked)}`),
  /** The town writes down that households were read. */
  due: (asked: Asked) => call<DuePage>('GET', `/households/due?${query(asked)}`),
  grids: () => call<GridShapes>('GET', '/map/grids'),
  hazards: (asked: Asked) => call<Marks>('GET', `/map/hazards?${query(asked)}`),
  patrols: (asked: Asked) => call<Lines>('GET', `/map/patrols?${query(asked)}`),
}
