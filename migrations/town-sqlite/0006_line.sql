-- What ties a file to its town and to its line of history, and what must outlive the file. An older program
-- may not open the file afterwards.

ALTER TABLE town ADD COLUMN id BLOB NOT NULL DEFAULT x'';   -- this town for ever, whatever its line
UPDATE town SET id = randomblob(16);

-- Rows changed in the tables that are kept outside the database too (see storage/sqlite/journal.rs), and
-- not copied there yet. Triggers fill it, so that no write can forget to.
CREATE TABLE touched (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    what TEXT NOT NULL,                        -- name of the table
    key  TEXT NOT NULL                         -- JSON list of its key columns, blobs in hexadecimal
) STRICT;

-- Retention counts from the town's receipt of the last change.
CREATE INDEX record_changed ON record (changed_at, id);
