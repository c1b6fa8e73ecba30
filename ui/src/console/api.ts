// What the page asks of the town. The cookie is the browser's; the token goes with whatever changes something.
import { i18n } from '@shared/i18n'

export interface Me { id: string; name: string; role: string; whole_town: boolean; grids: string[]; token: string; town_time: number }
export interface Row {
  id: string; title: string; category: string; severity: string; status: string; grid: string; address: string
  due_on: string; overdue: boolean; conflict: boolean; author: string; claimed_by: string; received_at: number; changed_at: number
}
export interface Person { id: string; name: string }
export interface Written { dot: string; value: unknown; by: Person | null; at: number | null }
export interface Field { path: string; conflict: boolean; siblings: Written[] }
export interface Linked { id: string; kind: string; title: string; status: string; distance_m: number | null }
export interface Step { from: string; to: string; needs_note: boolean }
export interface Entry { id: string; by: Person | null; at: number; note: string; from: string | null; to: string | null }
export interface RecordView {
  id: string; kind: string; author: Person; received_at: number; changed_at: number; contested: boolean; deleted: boolean
  fields: Field[]; timeline: Entry[]; links: Linked[]; duplicates: Linked[]; steps: Step[]; names: Record<string, string>
}
export interface Roster { people: (Person & { role: string })[]; grids: { code: string; name: string }[] }
export interface Save {
  changes?: Record<string, { replaces: string[]; value: unknown }>
  step?: { from: string; to: string; replaces: string[] }
  note?: string
}

export class Refused extends Error {
  constructor(readonly code: string, readonly status: number, readonly waitS: number) {
    super(code)
  }
}

let token = ''

export async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { 'accept-language': i18n.global.locale.value }
  if (method === 'POST') headers['x-csrf-token'] = token
  let response: Response
  try {
    response = await fetch(`/console/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  } catch {
    throw new Refused('offline', 0, 0)
  }
  const answer = await response.json().catch(() => ({})) as T & { code?: string; retry_after_s?: number }
  if (!response.ok) throw new Refused(answer.code ?? 'internal', response.status, answer.retry_after_s ?? 0)
  return answer
}

const whose = (me: Me): Me => {
  token = me.token
  return me
}

export const api = {
  signIn: async (login: string, password: string, totp?: string) => whose(await call<Me>('POST', '/session', { login, password, totp })),
  signOut: (everywhere: boolean) => call('POST', '/session/end', { everywhere }),
  me: async () => whose(await call<Me>('GET', '/me')),
  roster: () => call<Roster>('GET', '/roster'),
  hazards: (query: URLSearchParams) => call<{ rows: Row[]; next: string | null }>('GET', `/hazards?${query}`),
  record: (id: string) => call<RecordView>('GET', `/records/${id}`),
  save: (id: string, save: Save) => call('POST', `/records/${id}`, save),
}
