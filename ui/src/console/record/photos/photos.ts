// The photos of a record: which there are, which have arrived, where their bytes are.
import { onUnmounted, ref, watch } from 'vue'
import { get } from '../../api'

export interface Photo {
  hash: string; thumb: string | null; of: string; caption: string; taken_at: number | null; received: boolean; thumb_received: boolean
}
/** How often it is asked again while something is still coming. */
const ASK_AGAIN_MS = 5_000

export const full = (photo: Photo) => `/console/v1/blobs/${photo.hash}`
/** The phone's own small picture where it has arrived, else one that the town makes. */
export function small(photo: Photo): string | null {
  if (photo.thumb && photo.thumb_received) return `/console/v1/blobs/${photo.thumb}`
  return photo.received ? `${full(photo)}?size=thumb` : null
}

export function usePhotos(record: () => string) {
  const photos = ref<Photo[]>([])
  let timer: ReturnType<typeof setTimeout> | undefined
  async function load() {
    clearTimeout(timer)
    const id = record()
    const found = await get<{ photos: Photo[] }>(`/records/${id}/photos`).catch(() => null)
    if (id !== record()) return
    if (found) photos.value = found.photos
    if (photos.value.some((photo) => !photo.received)) timer = setTimeout(() => void load(), ASK_AGAIN_MS)
  }
  watch(record, load, { immediate: true })
  onUnmounted(() => clearTimeout(timer))
  return { photos, load }
}
