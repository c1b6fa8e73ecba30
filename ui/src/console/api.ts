// What the page asks of the town. The cookie is the browser's; the token goes with whatever changes something.
import { i18n } from '@shared/i18n'

export interface Me { id: string; name: string; role: string; whole_town: boolean; grids: string[]; token: string; town_time: number }
export interface Row {
  id: string; title: string; category: string; severity: string; status: string; status_dots: string[]; grid: string; address: string
  stage: string; due_on: string; overdue: boolean; conflict: boolean; author: string; claimed_by: string; coming: number; received_at: number; changed_at: number
}
export interface Person { id: string; name: string }
export interface Written { dot: string; value: unknown; by: Person | null; at: number | null }
export interface Field { path: string; conflict: boolean; siblings: Written[] }
export interface Linked { id: string; kind: string; relation: string; title: string; status: string; at: number | null; due_on: string; distance_m: number | null }
export interface Answer { key: string; zh: string; en: string; critical: boolean; answer: string; note: string }
export interface Step { from: string; to: string; needs_note: boolean }
export interface Entry { id: string; by: Person | null; at: number; note: string; from: string | null; to: string | null }
export interface RecordView {
  id: string; kind: string; author: Person; received_at: number; changed_at: number; contested: boolean; deleted: boolean
  fields: Field[]; answers: Answer[]; timeline: Entry[]; links: Linked[]; duplicates: Linked[]; steps: Step[]; names: Record<string, string>
}
export interface Waiting { urgent: Row[]; new: number; corrected: number; changed: number; conflict: number; overdue: number; claimed: number }
export interface TaskRow {
  id: string; what: string; words: string; about: string | null; assignee: string; doer: string; grid: string
  due_on: string; overdue: boolean; status: string; conflict: boolean; giver: string; changed_at: number
}
export interface NewTask { what: string; words: string; about?: string; assignee?: string; grid?: string; due_on?: string }
export interface SavedView { id: string; name: string; query: string }
export interface Decisions { to: string; note: string; records: { id: string; from: string; replaces: string[] }[] }
export interface Named { id: string; title: string; category: string; severity: string; status: string; grid: string; address: string }
export interface Daily {
  reported: number; categories: Record<string, number>; severities: Record<string, number>; steps: Record<string, number>
  named: Named[]; patrols: number; patrolled_m: number; patrolled_s: number; checks: string; tasks_done: number
}
export interface DailyReport { day: string; daily: Daily; cut: boolean; overdue: number; waiting: number }
export interface Roster { people: (Person & { role: string })[]; grids: { code: string; name: string }[] }
export interface Save {
  changes?: Record<string, { replaces: string[]; value: unknown }>
  step?: { from: string; to: string; replaces: string[] }
  note?: string
}

export class Refused extends Error {
  constructor(readonly code: string, readonly status: number, readonly waitS: number, readonly why = '') {
    super(code)
  }
}

let token = ''

/** One request; what the town refuses is thrown. */
export async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { 'accept-language': i18n.global.locale.value }
  if (method !== 'GET') headers['x-csrf-token'] = token
  let response: Response
  try {
    response = await fetch(`/console/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  } catch {
    throw new Refused('offline', 0, 0)
  }
  if (response.ok) return response
  const answer = await response.json().catch(() => ({})) as { code?: string; retry_after_s?: number; why?: string }
  throw new Refused(answer.code ?? 'internal', response.status, answer.retry_after_s ?? 0, answer.why)
}
export async function call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const response = await ask(method, path, body)
  return await response.json().catch(() => ({})) as T
}
/** Sends a file as it is and tells how much has gone; only an XMLHttpRequest does. */
export function send<T>(path: string, file: File, progress: (sent: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `/console/v1${path}`)
    request.setRequestHeader('accept-language', i18n.global.locale.value)
    request.setRequestHeader('x-csrf-token', token)
    request.responseType = 'json'
    request.upload.onprogress = (event) => progress(event.loaded)
    request.onerror = () => reject(new Refused('offline', 0, 0))
    request.onload = () => {
      const answer = (request.response ?? {}) as { code?: string; why?: string }
      if (request.status === 200) resolve(answer as T)
      else reject(new Refused(answer.code ?? 'internal', request.status, 0, answer.why))
    }
    request.send(file)
  })
}
export const get = <T>(path: string) => call<T>('GET', path)

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
  waiting: () => call<Waiting>('GET', '/waiting'),
  decide: (decisions: Decisions) => call<{ verdicts: { id: string; code: string | null }[] }>('POST', '/decisions', decisions),
  views: async () => (await call<{ views: SavedView[] }>('GET', '/views')).views,
  keepView: (name: string, query: string) => call('POST', '/views', { name, query }),
  dropView: (id: string) => call('DELETE', `/views/${id}`),
  tasks: (query: URLSearchParams) => call<{ rows: TaskRow[]; next: string | null }>('GET', `/tasks?${query}`),
  giveTask: (task: NewTask) => call<{ id: string }>('POST', '/tasks', task),
  daily: (day: string) => call<DailyReport>('GET', `/daily?day=${day}`),
  grids: () => call<object>('GET', '/map/grids'),
  record: (id: string) => call<RecordView>('GET', `/records/${id}`),
  save: (id: string, save: Save) => call('POST', `/records/${id}`, save),
}
