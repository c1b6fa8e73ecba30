// Where the map's own tiles come from: the field app has a file, the console asks its town.
import type { Base } from './style'

let source: () => Promise<Base | null> = async () => null

export function setMapBase(find: () => Promise<Base | null>): void {
  source = find
}

/** Asked for each map anew: a file may have come or gone. */
export const mapBase = (): Promise<Base | null> => source().catch(() => null)
