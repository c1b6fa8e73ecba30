// Language, text size and theme of this phone, laid on the document.
import { setLang } from '@shared/i18n'
import { reactive } from 'vue'
import { backend, type T } from './backend'

export const settings = reactive<T.Settings>({ lang: 'zh', text_px: 18, theme: 'standard', lock_after_min: 5, originals: 'auto', watermark: false, large_photos: false, photos_mib: 500 })

function lay(): void {
  setLang(settings.lang)
  document.documentElement.style.setProperty('--base', `${settings.text_px}px`)
  document.documentElement.dataset.theme = settings.theme
}

export async function loadSettings(): Promise<void> {
  await backend.call('settings').then((found) => Object.assign(settings, found), () => undefined)
  lay()
}

export async function setSettings(change: Partial<T.Settings>): Promise<void> {
  Object.assign(settings, change)
  lay()
  await backend.call('set_settings', { ...settings })
}
