// Who is signed in, and the people and grids that this person can name. One of each in a window.
import { ref } from 'vue'
import { api, type Me, type Roster } from './api'

export const me = ref<Me | null>(null)
export const roster = ref<Roster | null>(null)

let shapes: Promise<object | null> | null = null
/** The boundaries of the own grids, asked for once. */
export function gridShapes(): Promise<object | null> {
  shapes ??= api.grids().catch(() => (shapes = null))
  return shapes
}

export async function entered(who: Me) {
  shapes = null
  roster.value = who.role === 'supervisor' ? await api.roster().catch(() => null) : null
  me.value = who
}
/** Asks the town whose session the browser has. */
export async function look() {
  const who = await api.me().catch(() => null)
  if (who) await entered(who)
  else me.value = null
}
