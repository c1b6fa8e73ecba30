// The one phone of this app, and what the screens share of its state.
import { onBeforeUnmount, onMounted, reactive, ref, type Ref } from 'vue'
import { type Backend, BackendError, type BackendEvent, type T } from './backend'
import { http } from './http'
import { ipc } from './ipc'

export { BackendError, type BackendEvent, type T } from './backend'
/** In the shell, or in a browser over the dev server. */
export const backend: Backend = '__TAURI_INTERNALS__' in window ? ipc : http

type Heard = (event: BackendEvent) => void
const listeners = new Set<Heard>()

/** What every screen shows of the line. */
export const sync = reactive<T.SyncNow>({ running: false, online: true, metered: false, error: null, town_code: null, sent: 0, received: 0, waiting: 0, files_sent: 0, files_waiting: 0, runs: 0 })
export const where: Ref<T.Point | null> = ref(null)

export function startListening(): void {
  backend.listen((event) => {
    if (event.event === 'sync') Object.assign(sync, event.sync)
    if (event.event === 'fix') where.value = event.at
    for (const heard of listeners) heard(event)
  })
  backend.call('sync_now').then((now) => Object.assign(sync, now), () => undefined)
  backend.call('position').then((at) => (where.value = at), () => undefined)
}

/** Hears events while the screen is there. */
export function onEvent(heard: Heard): void {
  onMounted(() => listeners.add(heard))
  onBeforeUnmount(() => listeners.delete(heard))
}

/** Data of a screen: fetched when it opens, and again whenever something has changed. */
export function useLive<R>(fetch: () => Promise<R>) {
  const data = ref<R | null>(null) as Ref<R | null>
  const error = ref<BackendError | null>(null)
  const loading = ref(true)
  // What was asked last counts: an earlier answer may come after it.
  let asked = 0
  async function refresh() {
    const mine = ++asked
    const [found, failure] = await fetch().then((found) => [found, null] as const, (failure: unknown) => [null, asError(failure)] as const)
    if (mine !== asked) return
    if (!failure) data.value = found
    error.value = failure
    loading.value = false
  }
  onMounted(refresh)
  onEvent((event) => {
    if (event.event === 'changed') void refresh()
  })
  return { data, error, loading, refresh }
}

export function asError(failure: unknown): BackendError {
  return failure instanceof BackendError ? failure : new BackendError('unreachable', null, null, String(failure))
}
