// Hazards on the map: a disc in the colour of its severity with the sign of its category, and a badge for what is
// not simply at the town; many in one place are one disc with their number.
import type { GeoJSONSource, LayerSpecification, Map as LibreMap, SourceSpecification } from 'maplibre-gl'
import { type Component, h, render } from 'vue'
import { CATEGORIES, categoryIcon, stateIcon } from '../icons'
import type { Row, State } from '../types/field'
import type { Colours } from './style'

/** States that a person has to know of when they look at the map. */
const BADGES: State[] = ['on_phone', 'under_review', 'returned', 'conflict', 'rejected', 'held']
const ICON_PX = 22
const BADGE_PX = 20
/** Pictures are drawn twice as large, for dense screens. */
const RATIO = 2

export function hazardFeatures(rows: Row[]): object {
  const placed = rows.filter((row) => row.position)
  const features = placed.map(({ id, severity, category, state, position }) => ({
    type: 'Feature',
    properties: { id, severity, category: `category-${category}`, ...(BADGES.includes(state) ? { badge: `state-${state}` } : {}) },
    geometry: { type: 'Point', coordinates: [position!.lon, position!.lat] },
  }))
  return { type: 'FeatureCollection', features }
}

const count = (severity: string) => ['+', ['case', ['==', ['get', 'severity'], severity], 1, 0]]

export const hazardSource = {
  type: 'geojson', data: { type: 'FeatureCollection', features: [] },
  cluster: true, clusterRadius: 40, clusterMaxZoom: 16,
  clusterProperties: { major: count('major'), serious: count('serious') },
} as unknown as SourceSpecification

export function hazardLayers(c: Colours): LayerSpecification[] {
  const many = ['has', 'point_count']
  const worst = ['case', ['>', ['get', 'major'], 0], c.red, ['>', ['get', 'serious'], 0], c.amber, c.pine]
  const severity = ['match', ['get', 'severity'], 'major', c.red, 'serious', c.amber, c.pine]
  const icon = { 'icon-allow-overlap': true, 'icon-ignore-placement': true }
  return [
    { id: 'hazard', type: 'circle', source: 'hazards', filter: ['!', many], paint: { 'circle-radius': 17, 'circle-color': severity, 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 2.5 } },
    { id: 'hazard-sign', type: 'symbol', source: 'hazards', filter: ['!', many], layout: { 'icon-image': ['get', 'category'], ...icon } },
    { id: 'hazard-badge', type: 'symbol', source: 'hazards', filter: ['has', 'badge'], layout: { 'icon-image': ['get', 'badge'], 'icon-offset': [15, -15], ...icon } },
    { id: 'cluster', type: 'circle', source: 'hazards', filter: many, paint: { 'circle-radius': ['step', ['get', 'point_count'], 19, 10, 23, 100, 28], 'circle-color': worst, 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 4 } },
    { id: 'cluster-count', type: 'symbol', source: 'hazards', filter: many, layout: { 'text-field': ['to-string', ['get', 'point_count']], 'text-size': 18, 'text-font': ['sans-serif'], 'text-allow-overlap': true, 'text-ignore-placement': true }, paint: { 'text-color': '#ffffff' } },
  ] as LayerSpecification[]
}

/** The pictures that the layers name. */
export async function addSigns(map: LibreMap, c: Colours): Promise<void> {
  const signs = CATEGORIES.map((word) => [`category-${word}`, categoryIcon(word), '#ffffff', false] as const)
  const badges = BADGES.map((word) => [`state-${word}`, stateIcon(word), c.ink, true] as const)
  await Promise.all([...signs, ...badges].map(async ([id, icon, colour, badge]) => {
    const drawn = await draw(icon, colour, badge)
    if (!map.hasImage(id)) map.addImage(id, drawn, { pixelRatio: RATIO })
  }))
}

async function draw(icon: Component, colour: string, badge: boolean): Promise<ImageData> {
  const holder = document.createElement('div')
  render(h(icon, { size: ICON_PX * RATIO, color: colour, stroke: 2.2 }), holder)
  const image = new Image()
  image.src = `data:image/svg+xml,${encodeURIComponent(holder.innerHTML)}`
  render(null, holder)
  await image.decode()
  const px = (badge ? BADGE_PX : ICON_PX) * RATIO
  const canvas = Object.assign(document.createElement('canvas'), { width: px, height: px })
  const pen = canvas.getContext('2d')!
  if (badge) {
    pen.fillStyle = '#ffffff'
    pen.strokeStyle = colour
    pen.lineWidth = RATIO
    pen.arc(px / 2, px / 2, px / 2 - RATIO, 0, 2 * Math.PI)
    pen.fill()
    pen.stroke()
  }
  const edge = badge ? px * 0.2 : 0
  pen.drawImage(image, edge, edge, px - 2 * edge, px - 2 * edge)
  return pen.getImageData(0, 0, px, px)
}

/** The hazard at this place, or none when it was a group, which is looked into. */
export async function pick(map: LibreMap, at: { x: number; y: number }): Promise<string | null | undefined> {
  const hit = map.queryRenderedFeatures([[at.x - 12, at.y - 12], [at.x + 12, at.y + 12]], { layers: ['hazard', 'cluster'] })[0]
  if (!hit) return undefined
  if (hit.properties.cluster_id === undefined) return String(hit.properties.id)
  const zoom = await map.getSource<GeoJSONSource>('hazards')!.getClusterExpansionZoom(Number(hit.properties.cluster_id))
  if (hit.geometry.type === 'Point') map.jumpTo({ center: hit.geometry.coordinates as [number, number], zoom: Math.max(zoom, map.getZoom() + 1) })
  return null
}
