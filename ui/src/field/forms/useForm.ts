// A form that lives in the phone's store: every change is kept, the page only shows it.
import { onBeforeUnmount, ref } from 'vue'
import { asError, backend, type T } from '../backend'

/** Typing is kept after this pause; choices at once. */
const PAUSE_MS = 300

export function useForm(id: string, saves: 'save_form' | 'save_patrol' = 'save_form') {
  const form = ref<T.FormView | null>(null)
  const failure = ref('')
  const busy = ref(false)
  let waiting: Record<string, unknown> = {}
  let timer: ReturnType<typeof setTimeout> | undefined
  let kept: Promise<void> = Promise.resolve()

  async function open() {
    try {
      form.value = await backend.call('form', { id })
    } catch (error) {
      failure.value = asError(error).code
    }
  }
  function value(path: string): unknown {
    const view = form.value
    if (!view) return undefined
    return path in view.values ? view.values[path] : view.before[path]
  }
  const text = (path: string): string => {
    const found = value(path)
    return typeof found === 'string' ? found : ''
  }
  function keep(): Promise<void> {
    clearTimeout(timer)
    const values = waiting
    waiting = {}
    if (Object.keys(values).length > 0) {
      kept = kept.then(async () => {
        await backend.call('patch_form', { id, values }).catch((error: unknown) => { failure.value = asError(error).code })
      })
    }
    return kept
  }
  function set(path: string, to: unknown, now = true) {
    if (!form.value) return
    const empty = to === '' || to === undefined
    form.value.values[path] = empty ? null : to
    waiting[path] = empty ? null : to
    clearTimeout(timer)
    if (now) void keep()
    else timer = setTimeout(() => void keep(), PAUSE_MS)
  }
  async function save(): Promise<boolean> {
    busy.value = true
    failure.value = ''
    try {
      await keep()
      await backend.call(saves, { id })
      return true
    } catch (error) {
      failure.value = asError(error).code
      return false
    } finally {
      busy.value = false
    }
  }
  async function discard() {
    clearTimeout(timer)
    await kept
    await backend.call('discard_form', { id }).catch(() => undefined)
  }
  /** Photos are attached past the form: only they are read again. */
  async function readPhotos() {
    const found = await backend.call('form', { id }).catch(() => null)
    if (form.value && found) form.value.photos = found.photos
  }
  onBeforeUnmount(() => void keep())
  void open()
  return { form, failure, busy, value, text, set, save, discard, keep, readPhotos }
}
