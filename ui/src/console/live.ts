// Server-sent events: which records changed. One line for the window; the browser reconnects by itself and says
// what it heard last.
import { onUnmounted, ref } from 'vue'

type Heard = (ids: string[]) => void

export const live = ref(false)
const listeners = new Set<Heard>()
let source: EventSource | null = null

export function listen(ended: () => void) {
  hangUp()
  const line = new EventSource('/console/v1/events')
  source = line
  line.onopen = () => {
    live.value = true
  }
  line.onerror = () => {
    live.value = false
    // The browser gives up for good when the town refuses: the session ended.
    if (line.readyState === EventSource.CLOSED) ended()
  }
  line.addEventListener('changed', (event) => {
    const ids = JSON.parse((event as MessageEvent<string>).data) as string[]
    for (const heard of listeners) heard(ids)
  })
}

export function hangUp() {
  source?.close()
  source = null
  live.value = false
}

/** Hears of changed records while the component is there. */
export function useLive(heard: Heard) {
  listeners.add(heard)
  onUnmounted(() => listeners.delete(heard))
}
