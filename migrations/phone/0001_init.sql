-- The phone's store. One file, one writer; record, projection, unsent state and cursor change in one
-- transaction. An older program may not open a store that a later migration has touched for writing.

CREATE TABLE phone (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    install_id      BLOB    NOT NULL,            -- this installation; compared with the marker outside
    replica         BLOB    NOT NULL,            -- 16 random bytes that this phone writes under
    counter         INTEGER NOT NULL DEFAULT 0,  -- the one commit counter
    epoch           BLOB,                        -- of the town; none before the first sync
    cursor          TEXT,                        -- where the feed goes on; opaque
    scope_version   INTEGER NOT NULL DEFAULT 0,
    acked           BLOB,                        -- token of the last acknowledged push
    attempts        BLOB    NOT NULL DEFAULT x'',-- tokens of the attempts since, 16 bytes each
    attempt_counter INTEGER NOT NULL DEFAULT 0,  -- counter at the last attempt
    clock_offset_s  INTEGER NOT NULL DEFAULT 0,  -- town's clock minus phone's
    last_contact_s  INTEGER,                     -- by the town's clock
    reconcile       INTEGER NOT NULL DEFAULT 0   -- 1: a reconciliation is owed
) STRICT;

CREATE TABLE identity (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    town         TEXT NOT NULL,             -- https address
    town_name    TEXT NOT NULL,
    ca_pem       TEXT NOT NULL DEFAULT '',  -- the town's own CA; empty behind a proxy
    device       BLOB NOT NULL,
    account      BLOB NOT NULL,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    grids        TEXT NOT NULL,             -- JSON list of grid codes
    private_key  TEXT NOT NULL              -- PKCS#8 PEM of the device's P-256 key
) STRICT;

CREATE TABLE record (
    seq  INTEGER PRIMARY KEY,   -- row number for projections; means nothing outside this file
    id   BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,         -- canonical form
    hash BLOB NOT NULL          -- SHA-256 of body
) STRICT;
CREATE INDEX record_kind ON record (kind, id);

-- Records with saves that the town has not confirmed: the outbox is a query on this.
CREATE TABLE unsent (
    record INTEGER PRIMARY KEY REFERENCES record (seq) ON DELETE CASCADE,
    since  INTEGER NOT NULL,    -- commit counter of the first unsent save
    base   BLOB,                -- last confirmed state, canonical; none when the town never confirmed one
    sent   BLOB                 -- state of the push under way; empty: the same as record.body
) STRICT;
CREATE INDEX unsent_since ON unsent (since);

CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    record     BLOB NOT NULL,
    kind       TEXT NOT NULL,
    created_by BLOB NOT NULL,
    changes    TEXT NOT NULL,   -- JSON, see model::changes
    code       TEXT NOT NULL,
    detail     TEXT NOT NULL,
    retriable  INTEGER NOT NULL,
    at         INTEGER NOT NULL -- town's time of the verdict
) STRICT;

CREATE TABLE alarm (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    record BLOB NOT NULL,
    what   TEXT NOT NULL
) STRICT;

-- Immutable files that records came from, by SHA-256: nothing of an imported track is thrown away.
CREATE TABLE blob (
    hash  BLOB PRIMARY KEY,
    type  TEXT NOT NULL,        -- media type
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE draft (
    id         BLOB PRIMARY KEY,    -- uuid of the draft
    kind       TEXT NOT NULL,
    record     BLOB,                -- the record being edited; none for a new one
    values_    TEXT NOT NULL,       -- JSON: path → value, what the person has altered so far
    replaces   TEXT NOT NULL,       -- JSON: path → dots in view when the form was opened
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Projections: derived from record.body, rebuilt by `rebuild`. `deletion`: 0 live, 1 deleted, 2 contested.
-- `conflicts`: number of paths with several values.

CREATE TABLE hazard (
    record     INTEGER PRIMARY KEY REFERENCES record (seq) ON DELETE CASCADE,
    deletion   INTEGER NOT NULL,
    conflicts  INTEGER NOT NULL,
    category   TEXT    NOT NULL DEFAULT '',
    severity   TEXT    NOT NULL DEFAULT '',
    status     TEXT    NOT NULL DEFAULT '',
    grid       TEXT    NOT NULL DEFAULT '',
    title      TEXT    NOT NULL DEFAULT '',
    seen_at    INTEGER NOT NULL DEFAULT 0,
    assignee   TEXT    NOT NULL DEFAULT '',
    household  TEXT    NOT NULL DEFAULT '',
    patrol     TEXT    NOT NULL DEFAULT '',
    due_on     TEXT    NOT NULL DEFAULT '',
    source     TEXT    NOT NULL DEFAULT '',
    source_key TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX hazard_seen ON hazard (deletion, seen_at, record);
CREATE INDEX hazard_status ON hazard (status, seen_at, record);
CREATE INDEX hazard_grid ON hazard (grid, seen_at, record);
CREATE INDEX hazard_source ON hazard (source, source_key) WHERE source <> '';
CREATE INDEX hazard_conflicts ON hazard (record) WHERE conflicts > 0 OR deletion = 2;

CREATE TABLE patrol (
    record      INTEGER PRIMARY KEY REFERENCES record (seq) ON DELETE CASCADE,
    deletion    INTEGER NOT NULL,
    conflicts   INTEGER NOT NULL,
    team        TEXT    NOT NULL DEFAULT '',
    grid        TEXT    NOT NULL DEFAULT '',
    started_at  INTEGER NOT NULL DEFAULT 0,
    distance_cm INTEGER NOT NULL DEFAULT 0,
    duration_s  INTEGER NOT NULL DEFAULT 0,
    source      TEXT    NOT NULL DEFAULT '',
    source_key  TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX patrol_started ON patrol (deletion, started_at, record);
CREATE INDEX patrol_grid ON patrol (grid, started_at, record);
CREATE INDEX patrol_source ON patrol (source, source_key) WHERE source <> '';
CREATE INDEX patrol_conflicts ON patrol (record) WHERE conflicts > 0 OR deletion = 2;

CREATE TABLE household (
    record    INTEGER PRIMARY KEY REFERENCES record (seq) ON DELETE CASCADE,
    deletion  INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    address   TEXT    NOT NULL DEFAULT '',
    grid      TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX household_address ON household (deletion, address, record);
CREATE INDEX household_grid ON household (grid, address, record);
CREATE INDEX household_conflicts ON household (record) WHERE conflicts > 0 OR deletion = 2;

CREATE TABLE household_check (
    record     INTEGER PRIMARY KEY REFERENCES record (seq) ON DELETE CASCADE,
    deletion   INTEGER NOT NULL,
    conflicts  INTEGER NOT NULL,
    household  TEXT    NOT NULL DEFAULT '',
    outcome    TEXT    NOT NULL DEFAULT '',
    checked_at INTEGER NOT NULL DEFAULT 0,
    due_on     TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX household_check_checked ON household_check (deletion, checked_at, record);
CREATE INDEX household_check_household ON household_check (household, checked_at, record);
CREATE INDEX household_check_due ON household_check (due_on, record) WHERE due_on <> '';
CREATE INDEX household_check_conflicts ON household_check (record) WHERE conflicts > 0 OR deletion = 2;

CREATE TABLE task (
    record    INTEGER PRIMARY KEY REFERENCES record (seq) ON DELETE CASCADE,
    deletion  INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    what      TEXT    NOT NULL DEFAULT '',
    status    TEXT    NOT NULL DEFAULT '',
    assignee  TEXT    NOT NULL DEFAULT '',
    grid      TEXT    NOT NULL DEFAULT '',
    about     TEXT    NOT NULL DEFAULT '',
    due_on    TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX task_due ON task (deletion, due_on, record);
CREATE INDEX task_status ON task (status, due_on, record);
CREATE INDEX task_conflicts ON task (record) WHERE conflicts > 0 OR deletion = 2;

CREATE TABLE notice (
    record      INTEGER PRIMARY KEY REFERENCES record (seq) ON DELETE CASCADE,
    deletion    INTEGER NOT NULL,
    conflicts   INTEGER NOT NULL,
    title       TEXT    NOT NULL DEFAULT '',
    valid_until INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notice_valid ON notice (deletion, valid_until, record);
CREATE INDEX notice_conflicts ON notice (record) WHERE conflicts > 0 OR deletion = 2;

CREATE TABLE grid (
    record    INTEGER PRIMARY KEY REFERENCES record (seq) ON DELETE CASCADE,
    deletion  INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    code      TEXT    NOT NULL DEFAULT '',
    name      TEXT    NOT NULL DEFAULT '',
    village   TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX grid_code ON grid (deletion, code, record);
CREATE INDEX grid_conflicts ON grid (record) WHERE conflicts > 0 OR deletion = 2;

CREATE TABLE template (
    record    INTEGER PRIMARY KEY REFERENCES record (seq) ON DELETE CASCADE,
    deletion  INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    code      TEXT    NOT NULL DEFAULT '',
    version   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX template_code ON template (deletion, code, version, record);
CREATE INDEX template_conflicts ON template (record) WHERE conflicts > 0 OR deletion = 2;

-- Where records are, in 1e-7 degrees; deleted ones are not in it.
CREATE VIRTUAL TABLE place USING rtree_i32 (record, lat_min, lat_max, lon_min, lon_max);

-- What is written in records. Each Han character is followed by a mark, so that a word of two of them
-- makes the three characters that a trigram needs (see store::search). Deleted ones are not in it.
CREATE VIRTUAL TABLE search USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram');
