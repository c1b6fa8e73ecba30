// Answers of a check as they stand in its form: `answers.KEY` → answer and note.
export interface Answer {
  answer: 'fine' | 'problem' | 'not_applicable'
  note?: string
  /** Hashes of photos that show it; each is a photo of the check too. */
  photos?: string[]
}

const WORDS = ['fine', 'problem', 'not_applicable']

export function answersOf(values: Record<string, unknown>): Record<string, Answer> {
  const found: Record<string, Answer> = {}
  for (const [path, value] of Object.entries(values)) {
    const answer = value as Answer | null
    if (path.startsWith('answers.') && answer && WORDS.includes(answer.answer)) found[path.slice('answers.'.length)] = answer
  }
  return found
}
