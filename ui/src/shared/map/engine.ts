// MapLibre, loaded when a map is first shown. Under Vite its worker has to be named by hand.
import { type Map as LibreMap, Map, Marker, type StyleSpecification, setWorkerUrl } from 'maplibre-gl'
import 'maplibre-gl/dist/maplibre-gl.css'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import { colours, plainStyle } from './style'

setWorkerUrl(workerUrl)

export type { LibreMap }
export { Marker }

export function newMap(container: HTMLElement, centre: [number, number], zoom: number, style: StyleSpecification = plainStyle(colours())): LibreMap {
  return new Map({
    container,
    style,
    center: centre,
    zoom,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
  })
}
