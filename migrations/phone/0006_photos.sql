-- Photos, thumbnails and tracks. Their bytes lie sealed in DIR/photos; here is what is known of them. An older
-- program may not open the file for writing afterwards: it would not note what records refer to.

CREATE TABLE media_file (
    hash        BLOB    PRIMARY KEY,         -- SHA-256 of the bytes
    kind        TEXT    NOT NULL,            -- photo, thumb, track
    size        INTEGER NOT NULL DEFAULT 0,  -- bytes; 0 while they have never been here
    is_here     INTEGER NOT NULL DEFAULT 0,  -- 1: the file lies in DIR/photos
    is_own      INTEGER NOT NULL DEFAULT 0,  -- 1: made on this phone, which has to send it
    thumb       BLOB,                        -- of a photo: its thumbnail
    added_at    INTEGER NOT NULL,            -- the phone's clock, in milliseconds
    used_at     INTEGER NOT NULL,            -- last looked at; the same clock
    asked_at    INTEGER NOT NULL DEFAULT 0,  -- the town was last asked for it, and had it not; the same clock
    upload      TEXT,                        -- path of the upload under way
    sent        INTEGER NOT NULL DEFAULT 0,  -- bytes of it that the town has
    by_hand     INTEGER NOT NULL DEFAULT 0,  -- 1: the person asked for it to be sent
    epoch       BLOB,                        -- the town's, when it gave the receipt; none without one
    received_at INTEGER NOT NULL DEFAULT 0,  -- the town's clock, in seconds
    tries       INTEGER NOT NULL DEFAULT 0,  -- times the town failed over this very file
    refused     TEXT                         -- why it is not sent any more
) STRICT;

-- Which record refers to which file: derived from records and their bases, and rebuilt from them.
CREATE TABLE media_ref (
    record INTEGER NOT NULL REFERENCES record (seq) ON DELETE CASCADE,
    hash   BLOB    NOT NULL,
    kind   TEXT    NOT NULL,
    thumb  BLOB,                             -- of a photo: its thumbnail
    PRIMARY KEY (record, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_ref_hash ON media_ref (hash);
CREATE INDEX media_ref_kind ON media_ref (kind, hash);
