// The phone over the dev server.
import { type Backend, BackendError, type BackendEvent, type Commands, type T } from './backend'
import { failed } from './failed'

async function ask<R>(path: string, request: RequestInit): Promise<R> {
  const answer = await fetch(path, request).catch((error: unknown) => {
    throw new BackendError('unreachable', null, null, String(error))
  })
  const body: unknown = await answer.json().catch(() => ({}))
  if (answer.ok) return body as R
  throw failed(body)
}

function call<C extends keyof Commands>(command: C, input?: Commands[C][0]): Promise<Commands[C][1]> {
  return ask(`/api/${command}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(input ?? {}) })
}

const installMap = (file: File) => ask<T.TilesShown>('/tiles', { method: 'PUT', body: file })

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

export const http: Backend = { call, listen, installMap, tiles: `${location.origin}/tiles/{z}/{x}/{y}` }
