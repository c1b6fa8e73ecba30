// Where a photo or track stands: an icon beside the word.
import { IconAlertCircle, IconCloudCheck, IconCloudDownload, IconDeviceMobile, IconHandStop, IconHourglass, IconWifi } from '@tabler/icons-vue'
import type { Component } from 'vue'
import type { T } from '../backend'

const ICON: Record<T.FileState, Component> = {
  on_phone: IconDeviceMobile, sending: IconHourglass, waits_for_wifi: IconWifi, waits_for_hand: IconHandStop,
  received: IconCloudCheck, refused: IconAlertCircle, at_town: IconCloudDownload,
}
const TONE: Record<T.FileState, 'pine' | 'amber' | 'red' | 'blue' | 'plain'> = {
  on_phone: 'amber', sending: 'blue', waits_for_wifi: 'amber', waits_for_hand: 'amber', received: 'pine', refused: 'red', at_town: 'plain',
}
export const fileIcon = (state: T.FileState): Component => ICON[state]
export const fileTone = (state: T.FileState) => TONE[state]

/** Reasons that have words of their own. */
const REFUSALS = ['file_broken', 'file_missing', 'blob_refused', 'too_large']
export const refusalKey = (code: string): string => `photo.refusal.${REFUSALS.includes(code) ? code : 'other'}`
