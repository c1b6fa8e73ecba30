-- What a phone needs to notice that its file is broken, and to give up finished records. An older program
-- may not open the file for writing afterwards.

-- Town's time of the last check of the whole file; 0 before the first sync.
ALTER TABLE phone ADD COLUMN checked_at INTEGER NOT NULL DEFAULT 0;

-- A table that is imported again finds its rows also when they were given up.
ALTER TABLE stub ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE stub ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE stub ADD COLUMN source_key TEXT NOT NULL DEFAULT '';
CREATE INDEX stub_source ON stub (kind, source, source_key) WHERE source <> '';

-- Broken files that this store was made from, for the person to be told.
CREATE TABLE salvage (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,   -- the phone's clock, in milliseconds
    file        TEXT    NOT NULL,   -- where the broken file lies
    records     INTEGER NOT NULL,   -- records that were read
    unsent      INTEGER NOT NULL,   -- those of them with unsent saves
    quarantined INTEGER NOT NULL,
    drafts      INTEGER NOT NULL,
    files       INTEGER NOT NULL,   -- imported files
    damaged     INTEGER NOT NULL,   -- places that could not be read
    lost_unsent INTEGER NOT NULL    -- records known to have had unsent saves that could not be read
) STRICT;
