// The map's style: the town's own grids on paper, lines, marks; nothing from a network. Layers in the order of
// drawing.
import type { Colours } from '@shared/map/style'
import type { FeatureCollection } from 'geojson'
import type { StyleSpecification } from 'maplibre-gl'

const NONE: FeatureCollection = { type: 'FeatureCollection', features: [] }
export const SOURCES = ['grids', 'labels', 'patrols', 'hazards', 'households'] as const
export type Source = (typeof SOURCES)[number]

export function townStyle(c: Colours): StyleSpecification {
  const worst = ['match', ['get', 'severity'], 'major', c.red, 'serious', c.amber, c.pine]
  const several = ['>', ['get', 'count'], 1]
  const text = (size: number) => ({ 'text-size': size, 'text-font': ['sans-serif'], 'text-allow-overlap': true, 'text-ignore-placement': true })
  return {
    version: 8,
    sources: Object.fromEntries(SOURCES.map((name) => [name, { type: 'geojson', data: NONE }])),
    layers: [
      { id: 'paper', type: 'background', paint: { 'background-color': '#eef3f0' } },
      { id: 'grid', type: 'fill', source: 'grids', metadata: { over_map: 0.45 }, paint: { 'fill-color': ['get', 'colour'], 'fill-opacity': 0.85 } },
      { id: 'grid-line', type: 'line', source: 'grids', paint: { 'line-color': ['case', ['get', 'chosen'], c.ink, '#6c7a75'], 'line-width': ['case', ['get', 'chosen'], 3.5, 1] } },
      { id: 'patrol', type: 'line', source: 'patrols', layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': c.blue, 'line-width': 2, 'line-opacity': 0.75 } },
      { id: 'grid-number', type: 'symbol', source: 'labels', layout: { ...text(17), 'text-field': ['get', 'number'] }, paint: { 'text-color': c.ink, 'text-halo-color': '#ffffff', 'text-halo-width': 2 } },
      { id: 'grid-name', type: 'symbol', source: 'labels', minzoom: 12.6, layout: { ...text(13), 'text-field': ['get', 'name'], 'text-offset': [0, 1.4] }, paint: { 'text-color': c.ink, 'text-halo-color': '#ffffff', 'text-halo-width': 1.5 } },
      { id: 'household', type: 'circle', source: 'households', paint: { 'circle-radius': 7, 'circle-color': '#ffffff', 'circle-stroke-color': c.blue, 'circle-stroke-width': 4 } },
      { id: 'hazard', type: 'circle', source: 'hazards', paint: { 'circle-radius': ['case', several, ['min', 20, ['+', 10, ['ln', ['get', 'count']]]], 9], 'circle-color': worst, 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 2 } },
      { id: 'hazard-number', type: 'symbol', source: 'hazards', layout: { ...text(12), 'text-field': ['case', several, ['to-string', ['get', 'count']], ['get', 'sign']] }, paint: { 'text-color': '#ffffff' } },
    ],
  } as StyleSpecification
}
