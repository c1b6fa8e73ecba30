// What went wrong, in words; the code alone decides which.
import { useI18n } from 'vue-i18n'
import { Refused } from './api'

export function useFailure() {
  const { t, te } = useI18n()
  function words(error: unknown): string {
    const code = error instanceof Refused ? error.code : 'internal'
    if (error instanceof Refused && error.why && te(`admin.not_done.${error.why}`, 'zh')) return t(`admin.not_done.${error.why}`)
    const wait = error instanceof Refused ? error.waitS : 0
    const key = `console.failure.${code}`
    return te(key, 'zh') ? t(key, { seconds: wait }) : t('console.failure.internal')
  }
  return { words }
}
