-- What maps are given (OGC API Features). An older program may not open the file afterwards.

-- Where and when a record is on a map: derived from it in the transaction that writes it, rebuilt when a file
-- is brought up to date. Deleted records have no row. Without a position the four edges are NULL.
CREATE TABLE feature (
    record     BLOB    PRIMARY KEY,
    collection TEXT    NOT NULL,               -- hazards, patrol_lines
    south      INTEGER,                        -- WGS-84 in 1e-7 degrees
    west       INTEGER,
    north      INTEGER,
    east       INTEGER,
    begins     INTEGER NOT NULL,               -- seconds since 1970, as recorded
    ends       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX feature_collection ON feature (collection, record);
