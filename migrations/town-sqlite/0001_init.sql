-- The town's embedded store. An older program may not open it once a later migration has touched it.

CREATE TABLE town (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    name          TEXT    NOT NULL,
    epoch         BLOB    NOT NULL,            -- this line of history
    replica       BLOB    NOT NULL,            -- the town writes as a replica too
    counter       INTEGER NOT NULL DEFAULT 0,  -- its commit counter
    cursor_secret BLOB    NOT NULL,            -- keys the MAC of feed cursors
    demo          INTEGER NOT NULL DEFAULT 0,  -- 1: people and boundaries are invented
    address       TEXT    NOT NULL DEFAULT '', -- where phones reach the town
    own_tls       INTEGER NOT NULL DEFAULT 1,  -- 0: a proxy in front speaks TLS with its own certificate
    probed_at     INTEGER NOT NULL DEFAULT 0,  -- last proof that the file can be written
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL                        -- PEM of the CA and its key
) STRICT, WITHOUT ROWID;

-- The one counter row: taken in the last statement of a transaction, whose lock makes positions visible
-- in order.
CREATE TABLE feed_head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE account (
    id            BLOB    PRIMARY KEY,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    whole_town    INTEGER NOT NULL DEFAULT 0,  -- 1: all grids, also those added later
    scope_version INTEGER NOT NULL DEFAULT 1,
    disabled_at   INTEGER,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account_grid (
    account BLOB NOT NULL REFERENCES account (id),
    grid    TEXT NOT NULL,
    PRIMARY KEY (account, grid)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    id           BLOB    PRIMARY KEY,
    account      BLOB    NOT NULL REFERENCES account (id),
    name         TEXT    NOT NULL,
    public_key   TEXT    NOT NULL,             -- SPKI PEM, P-256
    enrolled_at  INTEGER NOT NULL,
    last_contact INTEGER NOT NULL DEFAULT 0,
    clock_off_s  INTEGER NOT NULL DEFAULT 0,   -- device's clock minus the town's, evidence
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE invite (
    code_hash  BLOB    PRIMARY KEY,            -- SHA-256 of the code; the code itself is not kept
    account    BLOB    NOT NULL REFERENCES account (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    device     BLOB                            -- the device enrolled with it
) STRICT, WITHOUT ROWID;

-- Replica ids that have pushed, and where their push chain stands.
CREATE TABLE replica (
    id      BLOB    PRIMARY KEY,
    account BLOB    NOT NULL,
    device  BLOB    NOT NULL,
    token   BLOB,                              -- of the last push taken
    counter INTEGER NOT NULL DEFAULT 0         -- highest commit counter pushed
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    id          BLOB    PRIMARY KEY,
    kind        TEXT    NOT NULL,
    created_by  BLOB    NOT NULL,
    body        BLOB    NOT NULL,              -- canonical form
    hash        BLOB    NOT NULL,              -- SHA-256 of body
    received_at INTEGER NOT NULL,              -- town's time of the first receipt
    changed_at  INTEGER NOT NULL               -- town's time of the last change
) STRICT, WITHOUT ROWID;
CREATE INDEX record_kind ON record (kind, id);

CREATE TABLE cell (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE                  -- see model::cells
) STRICT;

-- The feed: one row per record and cell, with the newest state.
CREATE TABLE feed (
    cell     INTEGER NOT NULL REFERENCES cell (id),
    record   BLOB    NOT NULL,
    position INTEGER NOT NULL,
    state    INTEGER NOT NULL,                 -- 0 record, 1 left the cell, 2 purged
    origin   BLOB,                             -- the replica that pushed exactly this state
    PRIMARY KEY (cell, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX feed_position ON feed (cell, position);
CREATE INDEX feed_record ON feed (record);
CREATE INDEX feed_all ON feed (position);

-- Which checks move with which household.
CREATE TABLE check_of (
    household BLOB NOT NULL,
    record    BLOB NOT NULL,
    PRIMARY KEY (household, record)
) STRICT, WITHOUT ROWID;

-- The town's grids, derived from records of kind grid.
CREATE TABLE grid (
    code   TEXT PRIMARY KEY,
    record BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    what   TEXT    NOT NULL,
    record BLOB,
    device BLOB
) STRICT;
