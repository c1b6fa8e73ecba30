// The phone over the dev server.
import { type Backend, BackendError, type BackendEvent, type Commands, type Photos, type T } from './backend'
import { failed } from './failed'

async function post(path: string, type: string, body: BodyInit): Promise<unknown> {
  const request = { method: 'POST', headers: { 'content-type': type }, body }
  const answer = await fetch(path, request).catch((error: unknown) => {
    throw new BackendError('unreachable', null, null, String(error))
  })
  const json: unknown = await answer.json().catch(() => ({}))
  if (answer.ok) return json
  throw failed(json)
}

async function call<C extends keyof Commands>(command: C, input?: Commands[C][0]): Promise<Commands[C][1]> {
  return (await post(`/api/${command}`, 'application/json', JSON.stringify(input ?? {}))) as Commands[C][1]
}

const photos: Photos = {
  url: (hash, size) => `/photo/${hash}?size=${size}`,
  attach: async (target, picture) => (await post(`/api/photo?id=${target}`, 'application/octet-stream', picture)) as T.Attached,
}

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

export const http: Backend = { call, listen, photos }
