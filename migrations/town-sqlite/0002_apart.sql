-- Saves that the town keeps apart, and the scopes that it delivered. An older program may not open the
-- file afterwards.

-- Held saves: kept as their changes for a supervisor. A decided one stays, so that a push that arrives
-- twice does not open it again.
CREATE TABLE held (
    id          BLOB    PRIMARY KEY,           -- see wire::HoldId
    record      BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    created_by  BLOB    NOT NULL,
    account     BLOB    NOT NULL,              -- who pushed it
    device      BLOB    NOT NULL,
    changes     TEXT    NOT NULL,              -- JSON, see model::changes
    context     TEXT    NOT NULL,              -- JSON: the context as pushed; a push that covers it takes its place
    code        TEXT    NOT NULL,              -- why it was not taken
    detail      TEXT    NOT NULL,
    received_at INTEGER NOT NULL,              -- town's time
    outcome     TEXT    NOT NULL DEFAULT '',   -- '' waits, 'released', 'refused'
    note        TEXT    NOT NULL DEFAULT '',   -- the supervisor's words
    decided_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX held_waiting ON held (received_at, id) WHERE outcome = '';
CREATE INDEX held_record ON held (record) WHERE outcome = '';

-- What phones hold and a restored town has lost: whole records, until an administrator takes them.
CREATE TABLE recovered (
    hash        BLOB    PRIMARY KEY,           -- SHA-256 of body
    record      BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    body        BLOB    NOT NULL,              -- canonical form
    received_at INTEGER NOT NULL,
    taken_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX recovered_waiting ON recovered (received_at, hash) WHERE taken_at IS NULL;

-- The phones that brought it.
CREATE TABLE recovered_from (
    hash    BLOB    NOT NULL REFERENCES recovered (hash),
    device  BLOB    NOT NULL,
    account BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (hash, device)
) STRICT, WITHOUT ROWID;

-- Each scope that was delivered to a phone of the account: what its person was entitled to while offline.
CREATE TABLE account_scope (
    account BLOB    NOT NULL REFERENCES account (id),
    version INTEGER NOT NULL,
    role    TEXT    NOT NULL,
    grids   TEXT    NOT NULL,                  -- JSON list of grid codes
    PRIMARY KEY (account, version)
) STRICT, WITHOUT ROWID;

-- Reconciliation looks records of a scope up by hash.
CREATE INDEX record_hash ON record (hash);
-- When this phone last got the hash of its whole scope to compare.
ALTER TABLE device ADD COLUMN root_at INTEGER NOT NULL DEFAULT 0;
-- How many lines of history this file has had: from the second on phones may hold what it has lost.
ALTER TABLE town ADD COLUMN lines INTEGER NOT NULL DEFAULT 1;

-- Records whose content is gone for good: at the end of retention, or erased.
CREATE TABLE purged (
    id         BLOB    PRIMARY KEY,
    kind       TEXT    NOT NULL,
    created_by BLOB    NOT NULL,
    context    TEXT    NOT NULL,               -- JSON: what the purge had seen; what it had not is held
    at         INTEGER NOT NULL                -- town's time
) STRICT, WITHOUT ROWID;
