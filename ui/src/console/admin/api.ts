// What the administrators' pages ask of the town.
import { call, send } from '../api'

export interface Account {
  id: string; login: string | null; name: string; role: string; whole_town: boolean; grids: string[]
  disabled: boolean; has_password: boolean; has_totp: boolean
}
export interface Grid { code: string; name: string; village: string; village_name: string; invented: boolean; bounded: boolean }
export interface GridMapping { code: string; name: string; village: string; village_name: string }
export interface GridTrouble { feature: number; line: number; code: string; value: string }
export interface PlannedGrid { code: string; name: string; village_name: string; what: string[] }
export interface GridPlan {
  written: boolean; troubles: GridTrouble[]; properties: string[]; added: PlannedGrid[]; changed: PlannedGrid[]; unchanged: number; missing: string[]
}
export interface Once { login?: string; code?: string; expires_at?: number; uri?: string; svg?: string }
export type AccountAct =
  | { act: 'change'; login?: string; name?: string; role?: string; grids?: string; reason: string }
  | { act: 'disable' | 'enable' | 'reset' | 'totp_enrol' | 'totp_disable'; reason: string }
  | { act: 'totp_confirm'; code: string }
export interface Trouble { code: string; value: string }
export interface Plan {
  written: boolean; encoding: string; unchanged: number; table: Trouble | null
  added: { login: string; name: string; role: string; grids: string[] }[]
  changed: { login: string; name: string; what: string[] }[]
  bad: { line: number; cells: string[]; troubles: Trouble[] }[]
}
export interface Invite { id: string; account: string; name: string; created_at: number; expires_at: number; state: string; device: string | null }
export interface MadeInvite { id: string; uri: string; svg: string | null; expires_at: number }
export interface Device {
  id: string; name: string; account: string; account_name: string; enrolled_at: number; last_contact: number | null
  clock_off_s: number; app: string; waiting_since: number | null; held_since: number | null; state: string; attention: string[]
}
export interface Hold { id: string; record: string; kind: string; account_name: string; device_name: string; code: string; received_at: number; readable: boolean }
export interface HoldShown { row: Hold; purged: boolean; new: boolean; changes: { path: string; before: unknown[]; after: unknown[] }[] }
export interface Recovered { hash: string; record: string; kind: string; phones: number; received_at: number }
export interface Entry {
  sequence: number; at: number; by: string; by_name: string; act: string; subject_kind: string; subject: string
  subject_name: string; reason: string; detail: Record<string, unknown>
}
export interface Checked { entries: number; lost_to_restores: number; flaws: { sort: string; sequence: number }[] }

export const prove = (password: string, totp?: string) => call('POST', '/session/prove', { password, totp })
export const admin = {
  accounts: (query: URLSearchParams) => call<{ rows: Account[]; total: number; next: string | null }>('GET', `/admin/accounts?${query}`),
  add: (account: { login: string; name: string; role: string; grids: string }) => call<Account>('POST', '/admin/accounts', account),
  act: (id: string, act: AccountAct) => call<{ account: Account; once: Once | null }>('POST', `/admin/accounts/${id}`, act),
  import: (table: { file: string; write: boolean; skip_bad: boolean }) => call<Plan>('POST', '/admin/accounts/import', table),
  grids: () => call<{ grids: Grid[] }>('GET', '/admin/grids'),
  gridFile: (sent: { file: string; mapping: GridMapping; write: boolean; reason: string }) => call<GridPlan>('POST', '/admin/grids', sent),
  invites: (all: boolean) => call<{ rows: Invite[] }>('GET', `/admin/invites?all=${all}`),
  invite: (account: string, minutes: number) => call<MadeInvite>('POST', '/admin/invites', { account, minutes }),
  sheet: (whom: { role?: string; village?: string; minutes: number }) => call<{ html: string; invites: number; expires_at: number }>('POST', '/admin/invites/sheet', whom),
  revokeInvite: (id: string, reason: string) => call('POST', `/admin/invites/${id}`, { reason }),
  devices: () => call<{ rows: Device[]; version: string }>('GET', '/admin/devices'),
  revokeDevice: (id: string, reason: string) => call('POST', `/admin/devices/${id}`, { reason }),
  held: () => call<{ rows: Hold[] }>('GET', '/held'),
  hold: (id: string) => call<HoldShown>('GET', `/held/${id}`),
  decide: (id: string, act: 'release' | 'refuse', note: string) => call('POST', `/held/${id}`, { act, note }),
  recovered: () => call<{ rows: Recovered[] }>('GET', '/admin/recovered'),
  take: (hashes: string[] | null, reason: string) => call<{ taken: number }>('POST', '/admin/recovered', { hashes, reason }),
  audit: (query: URLSearchParams) => call<{ entries: Entry[]; next: number | null; acts: string[] }>('GET', `/admin/audit?${query}`),
  checkAudit: () => call<Checked>('GET', '/admin/audit/check'),
}

export interface Item {
  key: string; zh: string; en: string; weight: number; critical: boolean; advice_zh: string; advice_en: string; photo_when_problem: boolean
}
export interface Draft { title_zh: string; title_en: string; purpose: string; basis: string; retention: string; items: Item[] }
export interface ItemTrouble { item: number; field: string; code: string; value: string }
export const templates = {
  list: () => call<{ versions: { version: number; draft: Draft }[] }>('GET', '/admin/templates'),
  look: (draft: Draft) => call<{ troubles: ItemTrouble[] }>('POST', '/admin/templates', { draft }),
  publish: (draft: Draft, reason: string) => call<{ published: number }>('POST', '/admin/templates', { draft, reason, publish: true }),
}

export interface Tiles {
  hash: string; size: number; kind: 'png' | 'jpeg' | 'webp' | 'mvt'; min_zoom: number; max_zoom: number; bounds: [number, number, number, number]
  layers: string[]; attribution: string; published_at: number | null
}
export const tiles = {
  show: () => call<{ tiles: Tiles | null; max_bytes: number }>('GET', '/tiles'),
  send: (file: File, progress: (sent: number) => void) => send<Tiles>('/admin/tiles', file, progress),
  act: (hash: string, act: 'publish' | 'remove', reason: string) => call<{ tiles: Tiles | null }>('POST', `/admin/tiles/${hash}`, { act, reason }),
}

export interface Retention { days: number; min_days: number; max_days: number; phone_days: number; would_go: Record<string, number> }
export const retention = {
  show: (days?: number) => call<Retention>('GET', days === undefined ? '/admin/retention' : `/admin/retention?days=${days}`),
  set: (days: number, reason: string) => call<Retention>('POST', '/admin/retention', { days, reason }),
}

export interface Check { name: string; state: string; words: string; remedy: string | null }
export interface Standing {
  town: string; address: string; demo: boolean; accounts: number; devices: number; active: number; last_contact: number | null; held: number
  recovered: number; alarms: number; records: Record<string, number>; purged: Record<string, number>; backup_age_s: number | null; panics: number
  checks: Check[]
}
export const standing = () => call<Standing>('GET', '/admin/standing')
