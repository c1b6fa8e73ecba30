// The town's own map under the console's maps: the tiles of the published file.
import type { Base } from '@shared/map/style'
import { get } from '../api'

interface Published extends Omit<Base, 'url'> { hash: string }

export const baseOf = (tiles: Published): Base => ({ ...tiles, url: `${location.origin}/console/v1/tiles/${tiles.hash}/{z}/{x}/{y}` })

export async function townBase(): Promise<Base | null> {
  const { tiles } = await get<{ tiles: Published | null }>('/tiles')
  return tiles && baseOf(tiles)
}
