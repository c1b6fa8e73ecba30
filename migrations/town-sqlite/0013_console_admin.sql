-- What administrators set. An older program may not open the file afterwards.

-- The map that phones fetch: the file lies in the data folder under its hash.
CREATE TABLE tiles (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    hash         BLOB    NOT NULL,             -- SHA-256 of the file
    size         INTEGER NOT NULL,             -- bytes
    about        TEXT    NOT NULL,             -- JSON: kind, zoom levels, bounds, layers, attribution
    published_at INTEGER NOT NULL              -- town's time, seconds
) STRICT;

-- How long the town keeps what is finished, where that is shorter than privacy.md allows at most.
CREATE TABLE retention (
    what TEXT    PRIMARY KEY,                  -- records
    days INTEGER NOT NULL                      -- since the last change arrived
) STRICT, WITHOUT ROWID;

-- By the town's time, when the oldest save was made that the device had not sent yet when it was here last;
-- none: nothing waited there, or the app does not say.
ALTER TABLE device ADD COLUMN waiting_since INTEGER;
