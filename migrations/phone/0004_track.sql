-- A patrol that is under way, and what the person has set. Both stay on this phone. An older program may
-- open the file: it does not touch these.

CREATE TABLE track (
    one         INTEGER PRIMARY KEY CHECK (one = 1), -- at most one patrol is under way
    patrol      BLOB    NOT NULL,           -- id of the record that it becomes
    started_at  INTEGER NOT NULL,           -- the phone's clock, in milliseconds
    ended_at    INTEGER,                    -- none while it runs
    distance_mm INTEGER NOT NULL DEFAULT 0  -- length so far, summed as fixes come in
) STRICT;

-- Every fix as the receiver gave it, each committed by itself.
CREATE TABLE track_fix (
    number      INTEGER PRIMARY KEY,
    lat_e7      INTEGER NOT NULL,
    lon_e7      INTEGER NOT NULL,
    at_ms       INTEGER,    -- milliseconds UTC; none when the receiver gave none
    accuracy_cm INTEGER
) STRICT;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
