// Keys of a page: none while somebody types, or a dialog is open.
import { onMounted, onUnmounted } from 'vue'

export function useKeys(keys: Record<string, () => void>) {
  function pressed(event: KeyboardEvent) {
    const on = event.target as HTMLElement
    const typing = on.closest('input:not([type=checkbox]), textarea, select, [role="dialog"], [role="combobox"]') !== null
    const key = keys[event.key]
    if (!key || typing || document.querySelector('[aria-modal="true"]:not([style*="none"])') || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Enter' && on.closest('button, a')) return
    event.preventDefault()
    key()
  }
  onMounted(() => window.addEventListener('keydown', pressed))
  onUnmounted(() => window.removeEventListener('keydown', pressed))
}
