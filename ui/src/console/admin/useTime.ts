// Times of these pages: with the day, in the town's zone.
import { moment } from '@shared/format'
import type { Lang } from '@shared/i18n'
import { useI18n } from 'vue-i18n'

export function useTime() {
  const { locale } = useI18n()
  return { when: (seconds: number) => moment(seconds, locale.value as Lang, Date.now()) }
}
