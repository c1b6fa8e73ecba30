// The register `position` from what the receiver or the map gives.
import type { T } from '../backend'

export const found = (at: T.Point | null): Record<string, unknown> | null => (at ? { lat: at.lat, lon: at.lon, source: 'gps' } : null)
export const chosen = (at: T.Point): Record<string, unknown> => ({ lat: at.lat, lon: at.lon, source: 'map' })

/** Stored positions are whole numbers of 1e-7 degrees; one that was set just now is in degrees. */
export function pointOf(register: unknown): T.Point | null {
  const { lat, lon } = (register ?? {}) as { lat?: number; lon?: number }
  if (typeof lat !== 'number' || typeof lon !== 'number') return null
  const stored = Number.isInteger(lat) && Number.isInteger(lon)
  return stored ? { lat: lat / 1e7, lon: lon / 1e7 } : { lat, lon }
}
