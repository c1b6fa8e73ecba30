-- The supervisors' daily work: the inbox with views and full-text search, tasks, saved views. What is derived is
-- dropped and made anew. An older program may not open the file afterwards.

DROP TABLE inbox;

-- What the inbox shows of a hazard: derived from its record in the transaction that writes it, rebuilt when
-- a file is brought up to date. Deleted hazards have no row.
CREATE TABLE inbox (
    seq          INTEGER PRIMARY KEY,          -- the row of the search index
    record       BLOB    NOT NULL UNIQUE,
    title        TEXT    NOT NULL,
    category     TEXT    NOT NULL,
    severity     TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    status_dots  TEXT    NOT NULL,             -- the dots of its siblings, for a decision made on the list
    grid         TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    words        TEXT    NOT NULL,             -- what is searched, for words that are too short for the index
    stage        TEXT    NOT NULL,             -- new, corrected, changed: why it waits for a supervisor; or ''
    assignee     TEXT    NOT NULL,             -- account id, or ''
    claimed_by   TEXT    NOT NULL,             -- account id, or ''
    claimed_at   INTEGER NOT NULL,             -- town's time as the save said; 0: unknown
    due_on       TEXT    NOT NULL,             -- YYYY-MM-DD, or ''
    conflict     INTEGER NOT NULL,             -- 1: somebody has to settle something
    changed_at   INTEGER NOT NULL,             -- town's time of the last change
    duplicate_of BLOB,                         -- the report that it was merged into
    patrol       BLOB,                         -- the patrol on which it was seen
    lat_e7       INTEGER,
    lon_e7       INTEGER
) STRICT;
CREATE INDEX inbox_status ON inbox (status, record);
CREATE INDEX inbox_near ON inbox (category, lat_e7);
CREATE INDEX inbox_changed ON inbox (changed_at, record);
CREATE INDEX inbox_stage ON inbox (stage) WHERE stage <> '';
CREATE INDEX inbox_conflict ON inbox (record) WHERE conflict;
CREATE INDEX inbox_due ON inbox (due_on) WHERE due_on <> '';
CREATE INDEX inbox_claimed ON inbox (claimed_by) WHERE claimed_by <> '';
CREATE INDEX inbox_urgent ON inbox (status) WHERE severity = 'major';
CREATE INDEX inbox_merged ON inbox (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX inbox_patrol ON inbox (patrol) WHERE patrol IS NOT NULL;

-- Each Han character is followed by a mark, so that a word of two of them makes the three characters that a
-- trigram needs (see model::search).
CREATE VIRTUAL TABLE inbox_text USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram');

-- What the list of tasks shows: derived as the inbox is.
CREATE TABLE desk_task (
    record   BLOB    PRIMARY KEY,
    what     TEXT    NOT NULL,
    words    TEXT    NOT NULL,
    about    BLOB,                             -- a record id
    assignee TEXT    NOT NULL,                 -- account id, or ''
    grid     TEXT    NOT NULL,                 -- grid code, or ''
    due_on   TEXT    NOT NULL,                 -- YYYY-MM-DD, or ''
    status   TEXT    NOT NULL,
    conflict INTEGER NOT NULL                  -- 1: somebody has to settle something
) STRICT, WITHOUT ROWID;
CREATE INDEX desk_task_status ON desk_task (status, record);
CREATE INDEX desk_task_about ON desk_task (about) WHERE about IS NOT NULL;

-- Questions to the inbox that somebody keeps: an account's own.
CREATE TABLE saved_view (
    id      BLOB PRIMARY KEY,                  -- uuid
    account BLOB NOT NULL REFERENCES account (id),
    name    TEXT NOT NULL,
    query   TEXT NOT NULL                      -- as the inbox is asked: state=open&category=fire
) STRICT, WITHOUT ROWID;
CREATE INDEX saved_view_account ON saved_view (account, name);
