// The phone over the dev server.
import { type Backend, BackendError, type BackendEvent, type Commands, type Photos, type T } from './backend'
import { failed } from './failed'

async function ask<R>(method: 'POST' | 'PUT', path: string, type: string, body: BodyInit): Promise<R> {
  const answer = await fetch(path, { method, headers: { 'content-type': type }, body }).catch((error: unknown) => {
    throw new BackendError('unreachable', null, null, String(error))
  })
  const json: unknown = await answer.json().catch(() => ({}))
  if (answer.ok) return json as R
  throw failed(json)
}

const call = <C extends keyof Commands>(command: C, input?: Commands[C][0]) => ask<Commands[C][1]>('POST', `/api/${command}`, 'application/json', JSON.stringify(input ?? {}))

const photos: Photos = {
  url: (hash, size) => `/photo/${hash}?size=${size}`,
  attach: (target, picture) => ask<T.Attached>('POST', `/api/photo?id=${target}`, 'application/octet-stream', picture),
}

const installMap = (file: File) => ask<T.TilesShown>('PUT', '/tiles', 'application/octet-stream', file)

function listen(heard: (event: BackendEvent) => void): () => void {
  const events = new EventSource('/api/events')
  events.onmessage = (message: MessageEvent<string>) => heard(JSON.parse(message.data) as BackendEvent)
  // After a break nothing is known of what was missed.
  let broken = false
  events.onerror = () => (broken = true)
  events.onopen = () => {
    if (broken) heard({ event: 'changed', changed: null })
    broken = false
  }
  return () => events.close()
}

export const http: Backend = { call, listen, photos, installMap, tiles: `${location.origin}/tiles/{z}/{x}/{y}` }
