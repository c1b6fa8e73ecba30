// How a grid is coloured: one hue from light to dark, which any eye can order, and its number beside it.
export interface Step { from: number; colour: string }

const PINE = ['#f7faf9', '#cfe3dc', '#9cc6b9', '#5f9f8c', '#2f7866'] as const
const AMBER = ['#fdf9f2', '#f6e0bd', '#e6b877', '#c98a3c', '#a5651b'] as const

const steps = (bounds: readonly number[], colours: readonly string[]): Step[] => bounds.map((from, at) => ({ from, colour: colours[at] ?? '#fff' }))

export type Mode = 'open' | 'days'
/** Beyond what coverage looks back to, or never. */
export const NEVER = 9999

export const SCALES: Record<Mode, Step[]> = {
  open: steps([0, 1, 3, 6, 11], PINE),
  days: steps([0, 2, 4, 8, 15], AMBER),
}

export function colourOf(mode: Mode, value: number): string {
  return SCALES[mode].filter((step) => value >= step.from).at(-1)?.colour ?? '#fff'
}

/** First and last value of each step; the last one goes on. */
export function ranges(mode: Mode): { from: number; to: number | null; colour: string }[] {
  const scale = SCALES[mode]
  return scale.map((step, at) => ({ ...step, to: scale[at + 1] ? scale[at + 1]!.from - 1 : null }))
}
