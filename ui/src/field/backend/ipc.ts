// The phone in the shell: commands over Tauri's IPC, events as one Tauri event.
import { invoke } from '@tauri-apps/api/core'
import { listen as hear } from '@tauri-apps/api/event'
import { type Backend, type BackendEvent, type Commands, type Photos, type T } from './backend'
import { failed } from './failed'

async function call<C extends keyof Commands>(command: C, input?: Commands[C][0]): Promise<Commands[C][1]> {
  return invoke<Commands[C][1]>('call', { name: command, input: JSON.stringify(input ?? {}) }).catch((error: unknown) => {
    throw failed(error)
  })
}

function listen(heard: (event: BackendEvent) => void): () => void {
  const stop = hear<BackendEvent>('app', (event) => heard(event.payload))
  // What happened before the shell had heard of this is not known.
  void stop.then(() => heard({ event: 'changed', changed: null }))
  return () => void stop.then((end) => end())
}

// As the shell serves them; Android gives a scheme of one's own as a host.
const at = (scheme: string) => (navigator.userAgent.includes('Android') ? `http://${scheme}.localhost` : `${scheme}://localhost`)
const MAP_PART_BYTES = 4 * 1024 * 1024

async function raw<R>(command: string, bytes: ArrayBuffer, headers: Record<string, string>): Promise<R> {
  return invoke<R>(command, new Uint8Array(bytes), { headers }).catch((error: unknown) => {
    throw failed(error)
  })
}

const photos: Photos = {
  url: (hash, size) => `${at('photo')}/${hash}?size=${size}`,
  attach: async (target, picture) => raw<T.Attached>('attach', await picture.arrayBuffer(), { target }),
}

/** By parts: a map may be larger than what fits into memory. */
async function installMap(file: File): Promise<T.TilesShown> {
  let shown: T.TilesShown | null = null
  for (let from = 0; from < Math.max(file.size, 1); from += MAP_PART_BYTES) {
    const part = await file.slice(from, from + MAP_PART_BYTES).arrayBuffer()
    shown = await raw<T.TilesShown | null>('install_map', part, { at: String(from), of: String(file.size) })
  }
  if (!shown) throw failed({ code: 'bad_map' })
  return shown
}

export const ipc: Backend = { call, listen, photos, installMap, tiles: `${at('tiles')}/{z}/{x}/{y}` }
