-- The supervisors' console: sessions, and the inbox. An older program may not open the file afterwards.

CREATE TABLE session (
    hash    BLOB    PRIMARY KEY,               -- SHA-256 of the cookie; the cookie itself is not kept
    account BLOB    NOT NULL REFERENCES account (id),
    epoch   BLOB    NOT NULL,                  -- a session does not outlive its line of history
    made_at INTEGER NOT NULL,                  -- town's time
    seen_at INTEGER NOT NULL                   -- town's time; written once a minute at most
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account, made_at);

-- What the inbox shows of a hazard: derived from its record in the transaction that writes it, rebuilt when
-- a file is brought up to date. Deleted hazards have no row.
CREATE TABLE inbox (
    record     BLOB    PRIMARY KEY,
    title      TEXT    NOT NULL,
    category   TEXT    NOT NULL,
    severity   TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    grid       TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    words      TEXT    NOT NULL,               -- title, address and description: what is searched
    claimed_by TEXT    NOT NULL,               -- account id, or ''
    due_on     TEXT    NOT NULL,               -- YYYY-MM-DD, or ''
    conflict   INTEGER NOT NULL,               -- 1: somebody has to settle something
    lat_e7     INTEGER,
    lon_e7     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_status ON inbox (status, record);
CREATE INDEX inbox_near ON inbox (category, lat_e7);
