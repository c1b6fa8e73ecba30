// Server-sent events: which records changed. The browser reconnects by itself and says what it heard last.
import { onUnmounted, ref } from 'vue'

export function useLive(changed: (ids: string[]) => void, ended: () => void) {
  const open = ref(false)
  const source = new EventSource('/console/v1/events')
  source.onopen = () => {
    open.value = true
  }
  source.onerror = () => {
    open.value = false
    // The browser gives up for good when the town refuses: the session ended.
    if (source.readyState === EventSource.CLOSED) ended()
  }
  source.addEventListener('changed', (event) => changed(JSON.parse((event as MessageEvent<string>).data) as string[]))
  onUnmounted(() => source.close())
  return { open }
}
