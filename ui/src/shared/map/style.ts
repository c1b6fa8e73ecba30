// The plain base: paper, the town's grids, nothing from a network. Layers in the order of drawing.
import type { FeatureCollection } from 'geojson'
import type { StyleSpecification } from 'maplibre-gl'
import { hazardLayers, hazardSource } from './hazards'

export interface Colours {
  paper: string
  line: string
  pine: string
  ink: string
  amber: string
  red: string
  blue: string
}

export function colours(): Colours {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return { paper: of('paper'), line: of('control'), pine: of('pine'), ink: of('ink'), amber: of('amber'), red: of('red'), blue: of('blue') }
}

const NONE: FeatureCollection = { type: 'FeatureCollection', features: [] }

/** The file of tiles on this phone, as the map has to know it. */
export interface Base {
  url: string
  kind: 'png' | 'jpeg' | 'webp' | 'mvt'
  min_zoom: number
  max_zoom: number
  bounds: [number, number, number, number]
  layers: string[]
}

/** Names of layers as the common schemes of vector tiles have them, and how each is drawn. */
const VECTOR: [RegExp, 'fill' | 'line', string, number][] = [
  [/^(landcover|landuse|park|natural)$/, 'fill', '#dfeadf', 0],
  [/^(water|water_polygons|ocean)$/, 'fill', '#bcd6e6', 0],
  [/^(waterway|waterways|water_lines)$/, 'line', '#9cc0d8', 1.5],
  [/^(building|buildings)$/, 'fill', '#d9d4cc', 0],
  [/^(boundary|boundaries)$/, 'line', '#8d8398', 1],
  [/^(transportation|roads|streets|transit)$/, 'line', '#b0a58f', 2],
]

function baseLayers(base: Base): object[] {
  if (base.kind !== 'mvt') return [{ id: 'base', type: 'raster', source: 'base' }]
  const of = (layer: string) => VECTOR.filter(([name]) => name.test(layer)).map(([, type, colour, width]) => ({
    id: `base-${layer}`, type, source: 'base', 'source-layer': layer,
    paint: type === 'fill' ? { 'fill-color': colour } : { 'line-color': colour, 'line-width': width },
  }))
  return VECTOR.flatMap(([name]) => base.layers.filter((layer) => name.test(layer)).flatMap(of))
}

/** The style with the phone's own tiles under everything else, where it has some. */
export function withBase(style: StyleSpecification, base: Base | null): StyleSpecification {
  if (!base) return style
  const source = { type: base.kind === 'mvt' ? 'vector' : 'raster', tiles: [base.url], minzoom: base.min_zoom, maxzoom: base.max_zoom, bounds: base.bounds, ...(base.kind === 'mvt' ? {} : { tileSize: 256 }) }
  const [paper, ...rest] = style.layers
  // Over a real map the grids are drawn thinner: it is to be seen through them.
  const seen = rest.map((layer) => {
    const opacity = (layer.metadata as { over_map?: unknown } | undefined)?.over_map
    return opacity === undefined ? layer : { ...layer, paint: { ...layer.paint, 'fill-opacity': opacity } }
  })
  return { ...style, sources: { ...style.sources, base: source }, layers: [paper, ...baseLayers(base), ...seen] } as StyleSpecification
}

export function plainStyle(c: Colours): StyleSpecification {
  return {
    version: 8,
    sources: {
      grids: { type: 'geojson', data: NONE },
      track: { type: 'geojson', data: NONE },
      hazards: hazardSource,
    },
    layers: [
      { id: 'paper', type: 'background', paint: { 'background-color': '#eef3f0' } },
      { id: 'grid', type: 'fill', source: 'grids', metadata: { over_map: ['case', ['get', 'mine'], 0.1, 0.15] }, paint: { 'fill-color': ['case', ['get', 'mine'], c.pine, '#ffffff'], 'fill-opacity': ['case', ['get', 'mine'], 0.14, 0.7] } },
      { id: 'grid-line', type: 'line', source: 'grids', paint: { 'line-color': ['case', ['get', 'mine'], c.pine, c.line], 'line-width': ['case', ['get', 'mine'], 2.5, 1] } },
      { id: 'gap', type: 'line', source: 'track', filter: ['==', ['get', 'gap'], true], paint: { 'line-color': c.amber, 'line-width': 3, 'line-dasharray': [1.5, 1.5] } },
      { id: 'track', type: 'line', source: 'track', filter: ['!=', ['get', 'gap'], true], layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': c.blue, 'line-width': 5 } },
      { id: 'grid-name', type: 'symbol', source: 'grids', minzoom: 12.4, layout: { 'text-field': ['get', 'name'], 'text-size': 15, 'text-font': ['sans-serif'] }, paint: { 'text-color': c.ink, 'text-halo-color': '#ffffff', 'text-halo-width': 1.5 } },
      ...hazardLayers(c),
    ],
  } as StyleSpecification
}

interface At {
  lat: number
  lon: number
}

/** Lines of a track; between two of them a dashed one says that there was no fix. */
export function trackFeatures(parts: At[][]): object {
  const line = (points: At[], gap: boolean) => ({
    type: 'Feature',
    properties: { gap },
    geometry: { type: 'LineString', coordinates: points.map((p) => [p.lon, p.lat]) },
  })
  const features = parts.flatMap((part, at) => {
    const before = parts[at - 1]?.at(-1)
    const first = part[0]
    const drawn = part.length > 1 ? [line(part, false)] : []
    return before && first ? [line([before, first], true), ...drawn] : drawn
  })
  return { type: 'FeatureCollection', features }
}

export function bounds(parts: At[][]): [[number, number], [number, number]] | null {
  const all = parts.flat()
  if (all.length === 0) return null
  const lats = all.map((p) => p.lat)
  const lons = all.map((p) => p.lon)
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]]
}

interface GridFeature {
  properties: { mine: boolean }
  geometry: { coordinates: [number, number][][][] }
}

/** The corners of the own grids; of all of them where none is own. */
export function ownGrids(grids: object | null): At[][] {
  const features = (grids as { features?: GridFeature[] } | null)?.features ?? []
  const mine = features.filter((feature) => feature.properties.mine)
  const shown = mine.length > 0 ? mine : features
  return shown.map((feature) => feature.geometry.coordinates.flat(2).map(([lon, lat]) => ({ lat, lon })))
}
