// What the screens ask of the phone. The dev server answers over HTTP, the shell over IPC; the
// screens know neither.
import type * as T from '@shared/types/field'

export type { T }

type Id = { id: string }

/** Command → [what goes in, what comes out]. */
export interface Commands {
  today: [void, T.Today]
  todo: [void, T.Todo]
  whereabouts: [void, T.Whereabouts]
  list: [T.ListQuery, T.Rows]
  record: [Id, T.RecordPage]
  forms: [void, T.FormView[]]
  form: [Id, T.FormView]
  start_form: [T.FormStart, T.FormView]
  patch_form: [T.FormPatch, T.FormView]
  save_form: [Id, T.Changed]
  discard_form: [Id, null]
  set_values: [T.FormPatch, T.Changed]
  settle: [T.FormPatch, T.Changed]
  delete: [Id, T.Changed]
  undelete: [Id, T.Changed]
  already_reported: [T.Nearby, T.Row[]]
  grids: [void, GeoJSON]
  hazards_in: [T.MapBox, T.Row[]]
  check_template: [void, T.CheckTemplate]
  assess: [{ answers: Record<string, string> }, T.RiskView]
  patrol: [void, T.PatrolNow | null]
  start_patrol: [void, T.PatrolNow]
  stop_patrol: [void, T.PatrolReview]
  review_patrol: [void, T.PatrolReview]
  save_patrol: [Id, T.Changed]
  discard_patrol: [void, null]
  health: [void, T.Health]
  stowage: [void, T.Stowage]
  free_photos: [{ bytes?: number }, T.Freed]
  send_files: [Id, T.SyncNow]
  remove_photo: [{ id: string; hash: string }, T.Changed | null]
  /** Whether the platform's own camera takes the pictures; else the page's chooser does. */
  has_camera: [void, boolean]
  take_photo: [Id, T.Attached | null]
  drop_track: [Id, T.Changed]
  mend: [{ number: number; values: Record<string, unknown> }, T.Changed]
  discard_rejected: [{ number: number }, T.Changed]
  settings: [void, T.Settings]
  set_settings: [T.Settings, T.Settings]
  enrol: [{ invite: string; device_name: string; newcomer?: boolean }, true]
  people: [void, T.PeopleShown]
  unlock: [{ person: string; pin: string }, T.PeopleShown]
  lock: [void, T.PeopleShown]
  set_pin: [{ pin: string }, T.PeopleShown]
  change_pin: [{ old: string; new: string }, T.PeopleShown]
  forgotten: [{ person: string; invite: string; device_name: string; pin: string }, T.PeopleShown]
  background: [{ hidden: boolean }, T.PeopleShown]
  personal_numbers: [{ text: string }, T.FoundNumber[]]
  map: [void, T.TilesShown | null]
  put_notice_away: [{ id: string }, null]
  remove_map: [void, null]
  want_map: [void, null]
  sync: [void, T.SyncNow]
  sync_now: [void, T.SyncNow]
  line: [{ online: boolean; metered?: boolean }, T.SyncNow]
  position: [void, T.Point | null]
}

export interface GeoJSON {
  type: 'FeatureCollection'
  features: unknown[]
}

export type BackendEvent =
  | { event: 'changed'; changed: T.Changed | null }
  | { event: 'sync'; sync: T.SyncNow }
  | { event: 'fix'; at: T.Point; patrol: T.PatrolNow | null }
  | { event: 'people' }

/** `code` decides what a screen does; its words stand in the locale files. */
export class BackendError extends Error {
  constructor(
    readonly code: T.ErrorCode | 'in_use' | 'unknown_command' | 'bad_request' | 'unreachable',
    readonly path: string | null,
    readonly townCode: string | null,
    detail: string,
  ) {
    super(detail)
  }
}

/** Photos: their bytes never travel with commands. */
export interface Photos {
  /** Where a photo is shown from; it is fetched from the town if it is not on this phone. */
  url(hash: string, size: 'thumb' | 'full'): string
  /** Attaches a picture to a form that is open, or to a record. */
  attach(target: string, picture: Blob): Promise<T.Attached>
}

export interface Backend {
  photos: Photos
  call<C extends keyof Commands>(command: C, input?: Commands[C][0]): Promise<Commands[C][1]>
  /** Hears events until the function returned is called. */
  listen(heard: (event: BackendEvent) => void): () => void
  /** Where the tiles of the map are, with `{z}`, `{x}` and `{y}` in it. */
  readonly tiles: string
  /** Takes a map's file in; none where files are chosen in another way. */
  installMap?(file: File): Promise<T.TilesShown>
}
