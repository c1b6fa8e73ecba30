-- What a phone needs to reconcile with its town, and to be rid of what is no longer its own. An older
-- program may not open the file for writing afterwards.

-- 1: records may lie outside the scope and are to go.
ALTER TABLE phone ADD COLUMN evict_owed INTEGER NOT NULL DEFAULT 0;
-- 1: the town keeps exactly this state as recovered; it is not sent again as it is.
ALTER TABLE unsent ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
-- The town holds this save too, under this id.
ALTER TABLE quarantine ADD COLUMN hold BLOB;
CREATE INDEX quarantine_hold ON quarantine (hold) WHERE hold IS NOT NULL;
-- Town's time when the record was last confirmed or pulled.
ALTER TABLE record ADD COLUMN confirmed_at INTEGER NOT NULL DEFAULT 0;

-- Replica ids that this phone wrote under before.
CREATE TABLE former_replica (
    id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Confirmed records that the town turned out not to have: they go with the next pushes.
CREATE TABLE offer (
    record BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Closed records that this phone gave up: they still count when phone and town compare.
CREATE TABLE stub (
    id   BLOB PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;
