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

// As the shell serves it; Android gives a scheme of one's own as a host.
const scheme = navigator.userAgent.includes('Android') ? 'http://photo.localhost' : 'photo://localhost'

const photos: Photos = {
  url: (hash, size) => `${scheme}/${hash}?size=${size}`,
  attach: async (target, picture) => {
    const bytes = new Uint8Array(await picture.arrayBuffer())
    return invoke<T.Attached>('attach', bytes, { headers: { target } }).catch((error: unknown) => {
      throw failed(error)
    })
  },
}

/** The shell serves no tiles yet: without a file nothing asks for them. */
export const ipc: Backend = { call, listen, photos, tiles: 'tiles://localhost/{z}/{x}/{y}' }
