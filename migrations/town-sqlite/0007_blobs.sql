-- Files beside records: photos, thumbnails, tracks. An older program may not open the file afterwards.

-- What was received whole; the bytes lie in the blob store under this name.
CREATE TABLE blob (
    hash               BLOB    PRIMARY KEY,    -- SHA-256 of the bytes
    type               TEXT    NOT NULL,       -- media type, by content
    size               INTEGER NOT NULL,
    received_at        INTEGER NOT NULL,       -- town's time
    unreferenced_since INTEGER                 -- town's time when no record was found to refer to it
) STRICT, WITHOUT ROWID;

-- Who brought the bytes: knowing a hash alone gives nothing.
CREATE TABLE blob_from (
    hash    BLOB NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (hash, account)
) STRICT, WITHOUT ROWID;

-- Which record refers to which file, and who made it do so. Readers of the record may read the file if that
-- person brought it, or could read it.
CREATE TABLE blob_ref (
    hash     BLOB    NOT NULL,
    record   BLOB    NOT NULL,
    account  BLOB    NOT NULL,                 -- who wrote the reference
    entitled INTEGER NOT NULL,                 -- 1: could read the file when the reference was written
    PRIMARY KEY (hash, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_ref_record ON blob_ref (record);

-- Files that a held save refers to: kept while it waits.
CREATE TABLE blob_held (
    hash BLOB NOT NULL,
    hold BLOB NOT NULL REFERENCES held (id) ON DELETE CASCADE,
    PRIMARY KEY (hash, hold)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_held_hold ON blob_held (hold);

-- Uploads: parts lie in here, so that offset and bytes are one, and nothing lies about unencrypted.
CREATE TABLE upload (
    id         BLOB    PRIMARY KEY,            -- 16 random bytes
    account    BLOB    NOT NULL REFERENCES account (id),
    hash       BLOB    NOT NULL,               -- what it says to be
    size       INTEGER NOT NULL,
    received   INTEGER NOT NULL DEFAULT 0,     -- bytes so far
    done       INTEGER NOT NULL DEFAULT 0,     -- 1: checked and kept; the row stays for whoever missed the answer
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_account ON upload (account) WHERE done = 0;
CREATE INDEX upload_expires ON upload (expires_at);

CREATE TABLE upload_part (
    upload BLOB    NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    start  INTEGER NOT NULL,                   -- offset of its first byte
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (upload, start)
) STRICT, WITHOUT ROWID;
