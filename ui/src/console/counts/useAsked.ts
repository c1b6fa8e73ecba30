// An answer of the town that follows what is asked for: the last question's answer is the one that is shown.
import { ref, type Ref } from 'vue'
import { useFailure } from '../failure'

export function useAsked<Answer>(ask: () => Promise<Answer>) {
  const answer = ref(null) as Ref<Answer | null>
  const failure = ref('')
  const busy = ref(false)
  const { words } = useFailure()
  let asked = 0

  async function load() {
    const mine = ++asked
    busy.value = true
    try {
      const found = await ask()
      if (mine !== asked) return
      answer.value = found
      failure.value = ''
    } catch (error) {
      if (mine === asked) failure.value = words(error)
    }
    if (mine === asked) busy.value = false
  }
  return { answer, failure, busy, load }
}
