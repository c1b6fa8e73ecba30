-- The town's larger store: one database for many towns. An older program may not use it once a later migration
-- has touched it.
--
-- Every table carries the town, first in each key and index. The statements of the program do not say it: rows
-- of other towns are out of their reach by row security, and a new row gets the town of its transaction, which
-- the program sets (`yaoguan.town`) before anything else. Row security also holds for the owner of the tables;
-- the program refuses a role that it does not hold for.
--
-- Texts are compared by their bytes (collation C), numbers are bigint, ids and hashes bytea, truth is 0 or 1
-- but where it says boolean: as in the embedded store, whose statements run here too.

-- What the towns are called in a database's address, and their keys here. The one table without row security.
CREATE TABLE town_key (
    town bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

-- Functions that the statements use and PostgreSQL has under other names.
CREATE FUNCTION json_each(list text) RETURNS TABLE (key bigint, value text)
    LANGUAGE sql IMMUTABLE ROWS 10 AS $$
        SELECT place - 1, value
        FROM jsonb_array_elements_text(nullif(list, '')::jsonb) WITH ORDINALITY AS each (value, place)
    $$;
CREATE FUNCTION instr(whole text, part text) RETURNS integer
    LANGUAGE sql IMMUTABLE AS $$ SELECT strpos(whole, part) $$;
CREATE FUNCTION instr(whole bytea, part bytea) RETURNS integer
    LANGUAGE sql IMMUTABLE AS $$ SELECT position(part IN whole) $$;
CREATE FUNCTION hex(bytes bytea) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$ SELECT upper(encode(bytes, 'hex')) $$;
CREATE FUNCTION unhex(digits text, ignored text) RETURNS bytea
    LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN replace(digits, ignored, '') ~ '^([0-9a-fA-F]{2})*$'
            THEN decode(replace(digits, ignored, ''), 'hex') END
    $$;
CREATE FUNCTION zeroblob(size integer) RETURNS bytea
    LANGUAGE sql IMMUTABLE AS $$ SELECT decode(repeat('00', size), 'hex') $$;
CREATE FUNCTION iif(is_so boolean, yes text, no text) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN is_so THEN yes ELSE no END $$;
CREATE FUNCTION max(a bigint, b bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$ SELECT greatest(a, b) $$;
CREATE FUNCTION bytea_larger(a bytea, b bytea) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT CASE WHEN a > b THEN a ELSE b END $$;
CREATE FUNCTION bytea_smaller(a bytea, b bytea) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT CASE WHEN a < b THEN a ELSE b END $$;
CREATE AGGREGATE max(bytea) (SFUNC = bytea_larger, STYPE = bytea);
CREATE AGGREGATE min(bytea) (SFUNC = bytea_smaller, STYPE = bytea);
CREATE FUNCTION count_if(before bigint, is_so boolean) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$
        SELECT coalesce(before, 0) + CASE WHEN is_so THEN 1 ELSE 0 END
    $$;
CREATE AGGREGATE sum(boolean) (SFUNC = count_if, STYPE = bigint);

CREATE TABLE town (
    town          bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint PRIMARY KEY,
    one           bigint NOT NULL CHECK (one = 1),
    id            bytea  NOT NULL,             -- this town for ever, whatever its line
    name          text COLLATE "C" NOT NULL,
    epoch         bytea  NOT NULL,             -- this line of history
    replica       bytea  NOT NULL,             -- the town writes as a replica too
    counter       bigint NOT NULL DEFAULT 0,   -- its commit counter
    cursor_secret bytea  NOT NULL,             -- keys the MAC of feed cursors
    demo          bigint NOT NULL DEFAULT 0,   -- 1: people and boundaries are invented
    address       text COLLATE "C" NOT NULL DEFAULT '', -- where phones reach the town
    own_tls       bigint NOT NULL DEFAULT 1,   -- 0: a proxy in front speaks TLS with its own certificate
    probed_at     bigint NOT NULL DEFAULT 0,   -- last proof that the database can be written
    created_at    bigint NOT NULL,
    lines         bigint NOT NULL DEFAULT 1    -- lines of history so far: from the second on phones may hold what was lost
);

-- Lines of history that the town has left: a process that knows one of them finds it continued.
CREATE TABLE former_line (
    town  bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    epoch bytea  NOT NULL,
    PRIMARY KEY (town, epoch)
);

-- The map that phones fetch: the file lies in the data folder under its hash.
CREATE TABLE tiles (
    town         bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint PRIMARY KEY,
    one          bigint NOT NULL CHECK (one = 1),
    hash         bytea  NOT NULL,              -- SHA-256 of the file
    size         bigint NOT NULL,              -- bytes
    about        text COLLATE "C" NOT NULL,    -- JSON: kind, zoom levels, bounds, layers, attribution
    published_at bigint NOT NULL               -- town's time, seconds
);

-- How long the town keeps what is finished, where that is shorter than privacy.md allows at most.
CREATE TABLE retention (
    town bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    what text COLLATE "C" NOT NULL,            -- records
    days bigint NOT NULL,                      -- since the last change arrived
    PRIMARY KEY (town, what)
);

CREATE TABLE secret (
    town  bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    name  text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,           -- PEM of the CA and its key
    PRIMARY KEY (town, name)
);

-- The one counter row of each town: taken in the last statements of a transaction, whose lock makes positions
-- visible in order.
CREATE TABLE feed_head (
    town     bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint PRIMARY KEY,
    one      bigint NOT NULL CHECK (one = 1),
    position bigint NOT NULL DEFAULT 0
);

CREATE TABLE account (
    town          bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id            bytea  NOT NULL,
    name          text COLLATE "C" NOT NULL,
    role          text COLLATE "C" NOT NULL,
    whole_town    bigint NOT NULL DEFAULT 0,   -- 1: all grids, also those added later
    scope_version bigint NOT NULL DEFAULT 1,
    disabled_at   bigint,
    created_at    bigint NOT NULL,
    login         text COLLATE "C",            -- a short name to sign in with; none: it has not got one
    PRIMARY KEY (town, id),
    UNIQUE (town, login)
);

CREATE TABLE account_grid (
    town    bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    account bytea  NOT NULL,
    grid    text COLLATE "C" NOT NULL,
    PRIMARY KEY (town, account, grid),
    FOREIGN KEY (town, account) REFERENCES account (town, id)
);

-- Each scope that was delivered to a phone of the account: what its person was entitled to while offline.
CREATE TABLE account_scope (
    town    bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    account bytea  NOT NULL,
    version bigint NOT NULL,
    role    text COLLATE "C" NOT NULL,
    grids   text COLLATE "C" NOT NULL,         -- JSON list of grid codes
    PRIMARY KEY (town, account, version),
    FOREIGN KEY (town, account) REFERENCES account (town, id)
);

-- How a person proves to be the account's. No row: nobody can sign in to it.
CREATE TABLE credential (
    town             bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    account          bytea  NOT NULL,
    password         text COLLATE "C",          -- PHC string, Argon2id
    password_at      bigint,
    reset_hash       bytea,                     -- SHA-256 of the one-time code; the code itself is not kept
    reset_expires_at bigint,
    totp_secret      bytea,                     -- 20 bytes, RFC 6238
    totp_confirmed   bigint NOT NULL DEFAULT 0, -- 1: asked for at each sign-in
    totp_step        bigint NOT NULL DEFAULT 0, -- last step used; only later ones are taken
    PRIMARY KEY (town, account),
    FOREIGN KEY (town, account) REFERENCES account (town, id)
);

-- Tries to sign in that were not right, by what was named and by where they came from. Rows of unknown names
-- are there too, so that nothing tells them from known ones.
CREATE TABLE sign_in_try (
    town    bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    subject bytea  NOT NULL,                   -- SHA-256 of the sort and the login or address
    wrong   bigint NOT NULL,
    last_at bigint NOT NULL,
    next_at bigint NOT NULL,                   -- no earlier try is looked at
    PRIMARY KEY (town, subject)
);
CREATE INDEX sign_in_try_last ON sign_in_try (town, last_at);

CREATE TABLE device (
    town         bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id           bytea  NOT NULL,
    account      bytea  NOT NULL,
    name         text COLLATE "C" NOT NULL,
    public_key   text COLLATE "C" NOT NULL,    -- SPKI PEM, P-256
    enrolled_at  bigint NOT NULL,
    last_contact bigint NOT NULL DEFAULT 0,
    clock_off_s  bigint NOT NULL DEFAULT 0,    -- device's clock minus the town's, evidence
    revoked_at   bigint,
    root_at      bigint NOT NULL DEFAULT 0,    -- when this phone last got the hash of its whole scope to compare
    app          text COLLATE "C" NOT NULL DEFAULT '', -- how the app calls itself, from its last sync
    waiting_since bigint,                      -- when the oldest save was made that the device had not sent yet; none: nothing waits
    PRIMARY KEY (town, id),
    FOREIGN KEY (town, account) REFERENCES account (town, id)
);
CREATE INDEX device_account ON device (town, account);

CREATE TABLE invite (
    town       bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    code_hash  bytea  NOT NULL,                -- SHA-256 of the code; the code itself is not kept
    account    bytea  NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at    bigint,
    device     bytea,                          -- the device enrolled with it
    revoked_at bigint,
    PRIMARY KEY (town, code_hash),
    FOREIGN KEY (town, account) REFERENCES account (town, id)
);
CREATE INDEX invite_account ON invite (town, account);

-- Tokens for tools.
CREATE TABLE token (
    town       bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    hash       bytea  NOT NULL,                -- SHA-256 of the token; the token itself is not kept
    device     bytea  NOT NULL,
    account    bytea  NOT NULL,
    made_at    bigint NOT NULL,                -- town's time
    expires_at bigint NOT NULL,
    PRIMARY KEY (town, hash),
    FOREIGN KEY (town, device) REFERENCES device (town, id),
    FOREIGN KEY (town, account) REFERENCES account (town, id)
);
CREATE INDEX token_account ON token (town, account, made_at);

-- Sessions of the console.
CREATE TABLE session (
    town      bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    hash      bytea  NOT NULL,                 -- SHA-256 of the cookie; the cookie itself is not kept
    account   bytea  NOT NULL,
    epoch     bytea  NOT NULL,                 -- a session does not outlive its line of history
    made_at   bigint NOT NULL,                 -- town's time
    seen_at   bigint NOT NULL,                 -- town's time; written once a minute at most
    proved_at bigint NOT NULL DEFAULT 0,       -- when the session's person last gave the password
    PRIMARY KEY (town, hash),
    FOREIGN KEY (town, account) REFERENCES account (town, id)
);
CREATE INDEX session_account ON session (town, account, made_at);

-- Replica ids that have pushed, and where their push chain stands.
CREATE TABLE replica (
    town    bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id      bytea  NOT NULL,
    account bytea  NOT NULL,
    device  bytea  NOT NULL,
    token   bytea,                             -- of the last push taken
    counter bigint NOT NULL DEFAULT 0,         -- highest commit counter pushed
    PRIMARY KEY (town, id)
);

CREATE TABLE record (
    town        bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id          bytea  NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    created_by  bytea  NOT NULL,
    body        bytea  NOT NULL,               -- canonical form
    hash        bytea  NOT NULL,               -- SHA-256 of body
    received_at bigint NOT NULL,               -- town's time of the first receipt
    changed_at  bigint NOT NULL,               -- town's time of the last change
    PRIMARY KEY (town, id)
);
CREATE INDEX record_kind ON record (town, kind, id);
CREATE INDEX record_hash ON record (town, hash);
CREATE INDEX record_changed ON record (town, changed_at, id);

CREATE TABLE cell (
    town bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id   bigint GENERATED BY DEFAULT AS IDENTITY,
    name text COLLATE "C" NOT NULL,            -- see model::cells
    PRIMARY KEY (town, id),
    UNIQUE (town, name)
);

-- The feed: one row per record and cell, with the newest state.
CREATE TABLE feed (
    town     bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    cell     bigint NOT NULL,
    record   bytea  NOT NULL,
    position bigint NOT NULL,
    state    bigint NOT NULL,                  -- 0 record, 1 left the cell, 2 purged
    origin   bytea,                            -- the replica that pushed exactly this state
    PRIMARY KEY (town, cell, record),
    FOREIGN KEY (town, cell) REFERENCES cell (town, id)
);
CREATE INDEX feed_position ON feed (town, cell, position);
CREATE INDEX feed_record ON feed (town, record, state);
CREATE INDEX feed_all ON feed (town, position);

-- Which checks move with which household.
CREATE TABLE check_of (
    town      bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    household bytea  NOT NULL,
    record    bytea  NOT NULL,
    PRIMARY KEY (town, household, record)
);
CREATE INDEX check_of_record ON check_of (town, record);

-- The town's grids, derived from records of kind grid.
CREATE TABLE grid (
    town   bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    code   text COLLATE "C" NOT NULL,
    record bytea  NOT NULL,
    PRIMARY KEY (town, code)
);

CREATE TABLE alarm (
    town   bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id     bigint GENERATED BY DEFAULT AS IDENTITY,
    at     bigint NOT NULL,
    what   text COLLATE "C" NOT NULL,
    record bytea,
    device bytea,
    PRIMARY KEY (town, id)
);

-- Held saves: kept as their changes for a supervisor. A decided one stays, so that a push that arrives twice
-- does not open it again.
CREATE TABLE held (
    town        bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id          bytea  NOT NULL,               -- see wire::HoldId
    record      bytea  NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    created_by  bytea  NOT NULL,
    account     bytea  NOT NULL,               -- who pushed it
    device      bytea  NOT NULL,
    changes     text COLLATE "C" NOT NULL,     -- JSON, see model::changes
    context     text COLLATE "C" NOT NULL,     -- JSON: the context as pushed; a push that covers it takes its place
    code        text COLLATE "C" NOT NULL,     -- why it was not taken
    detail      text COLLATE "C" NOT NULL,
    received_at bigint NOT NULL,               -- town's time
    outcome     text COLLATE "C" NOT NULL DEFAULT '', -- '' waits, 'released', 'refused'
    note        text COLLATE "C" NOT NULL DEFAULT '', -- the supervisor's words
    decided_at  bigint,
    PRIMARY KEY (town, id)
);
CREATE INDEX held_waiting ON held (town, received_at, id) WHERE outcome = '';
CREATE INDEX held_record ON held (town, record);

-- What phones hold and a restored town has lost: whole records, until an administrator takes them.
CREATE TABLE recovered (
    town        bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    hash        bytea  NOT NULL,               -- SHA-256 of body
    record      bytea  NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    body        bytea  NOT NULL,               -- canonical form
    received_at bigint NOT NULL,
    taken_at    bigint,
    PRIMARY KEY (town, hash)
);
CREATE INDEX recovered_waiting ON recovered (town, received_at, hash) WHERE taken_at IS NULL;
CREATE INDEX recovered_record ON recovered (town, record);

-- The phones that brought it.
CREATE TABLE recovered_from (
    town    bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    hash    bytea  NOT NULL,
    device  bytea  NOT NULL,
    account bytea  NOT NULL,
    at      bigint NOT NULL,
    PRIMARY KEY (town, hash, device),
    FOREIGN KEY (town, hash) REFERENCES recovered (town, hash)
);

-- Records whose content is gone for good: at the end of retention, or erased.
CREATE TABLE purged (
    town       bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id         bytea  NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    created_by bytea  NOT NULL,
    context    text COLLATE "C" NOT NULL,      -- JSON: what the purge had seen; what it had not is held
    at         bigint NOT NULL,                -- town's time
    PRIMARY KEY (town, id)
);

-- Who did what, when and why. Only ever grows; each entry seals the one before it, see town::audit.
CREATE TABLE audit (
    town         bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    sequence     bigint NOT NULL,              -- from 1, without gaps
    at           bigint NOT NULL,              -- town's time
    by           text COLLATE "C" NOT NULL,    -- account id, `console:` and the system's user, or `town`
    act          text COLLATE "C" NOT NULL,    -- a word of town::audit::Act
    subject_kind text COLLATE "C" NOT NULL,
    subject      text COLLATE "C" NOT NULL,
    reason       text COLLATE "C" NOT NULL,
    detail       text COLLATE "C" NOT NULL,    -- JSON without personal content
    hash         bytea  NOT NULL,              -- SHA-256 of the hash before and this entry's canonical JSON
    PRIMARY KEY (town, sequence)
);
CREATE INDEX audit_subject ON audit (town, subject, sequence);
CREATE INDEX audit_act ON audit (town, act, sequence);
CREATE INDEX audit_by ON audit (town, by, sequence);
CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'the audit log is never changed and never shortened';
    END IF;
    IF NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit WHERE town = NEW.town) THEN
        RAISE EXCEPTION 'the audit log only grows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_only_grows BEFORE INSERT OR UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_only_grows();

-- What was received whole; the bytes lie in the blob store under this name.
CREATE TABLE blob (
    town               bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    hash               bytea  NOT NULL,        -- SHA-256 of the bytes
    type               text COLLATE "C" NOT NULL, -- media type, by content
    size               bigint NOT NULL,
    received_at        bigint NOT NULL,        -- town's time
    unreferenced_since bigint,                 -- town's time when no record was found to refer to it
    PRIMARY KEY (town, hash)
);

-- Who brought the bytes: knowing a hash alone gives nothing.
CREATE TABLE blob_from (
    town    bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    hash    bytea  NOT NULL,
    account bytea  NOT NULL,
    PRIMARY KEY (town, hash, account)
);

-- Which record refers to which file, and who made it do so.
CREATE TABLE blob_ref (
    town     bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    hash     bytea  NOT NULL,
    record   bytea  NOT NULL,
    account  bytea  NOT NULL,                  -- who wrote the reference
    entitled bigint NOT NULL,                  -- 1: could read the file when the reference was written
    PRIMARY KEY (town, hash, record)
);
CREATE INDEX blob_ref_record ON blob_ref (town, record);

-- Files that a held save refers to: kept while it waits.
CREATE TABLE blob_held (
    town bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    hash bytea  NOT NULL,
    hold bytea  NOT NULL,
    PRIMARY KEY (town, hash, hold),
    FOREIGN KEY (town, hold) REFERENCES held (town, id) ON DELETE CASCADE
);
CREATE INDEX blob_held_hold ON blob_held (town, hold);

-- Uploads: parts lie in here, so that offset and bytes are one.
CREATE TABLE upload (
    town       bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id         bytea  NOT NULL,                -- 16 random bytes
    account    bytea  NOT NULL,
    hash       bytea  NOT NULL,                -- what it says to be
    size       bigint NOT NULL,
    received   bigint NOT NULL DEFAULT 0,      -- bytes so far
    done       bigint NOT NULL DEFAULT 0,      -- 1: checked and kept; the row stays for whoever missed the answer
    expires_at bigint NOT NULL,
    PRIMARY KEY (town, id),
    FOREIGN KEY (town, account) REFERENCES account (town, id)
);
CREATE INDEX upload_account ON upload (town, account) WHERE done = 0;
CREATE INDEX upload_expires ON upload (town, expires_at);

CREATE TABLE upload_part (
    town   bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    upload bytea  NOT NULL,
    start  bigint NOT NULL,                    -- offset of its first byte
    bytes  bytea  NOT NULL,
    PRIMARY KEY (town, upload, start),
    FOREIGN KEY (town, upload) REFERENCES upload (town, id) ON DELETE CASCADE
);

-- What the inbox shows of a hazard: derived from its record in the transaction that writes it. Deleted hazards
-- have no row.
CREATE TABLE inbox (
    town         bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    record       bytea  NOT NULL,
    seq          bigint GENERATED BY DEFAULT AS IDENTITY,
    title        text COLLATE "C" NOT NULL,
    category     text COLLATE "C" NOT NULL,
    severity     text COLLATE "C" NOT NULL,
    status       text COLLATE "C" NOT NULL,
    status_dots  text COLLATE "C" NOT NULL,    -- the dots of its siblings, for a decision made on the list
    grid         text COLLATE "C" NOT NULL,
    address      text COLLATE "C" NOT NULL,
    stage        text COLLATE "C" NOT NULL,    -- new, corrected, changed: why it waits for a supervisor; or ''
    assignee     text COLLATE "C" NOT NULL,    -- account id, or ''
    claimed_by   text COLLATE "C" NOT NULL,    -- account id, or ''
    claimed_at   bigint NOT NULL,              -- town's time as the save said; 0: unknown
    due_on       text COLLATE "C" NOT NULL,    -- YYYY-MM-DD, or ''
    conflict     boolean NOT NULL,             -- somebody has to settle something
    changed_at   bigint NOT NULL,              -- town's time of the last change
    duplicate_of bytea,                        -- the report that it was merged into
    patrol       bytea,                        -- the patrol on which it was seen
    lat_e7       bigint,
    lon_e7       bigint,
    PRIMARY KEY (town, record)
);
CREATE UNIQUE INDEX inbox_seq ON inbox (town, seq);
CREATE INDEX inbox_status ON inbox (town, status, record);
CREATE INDEX inbox_near ON inbox (town, category, lat_e7);
CREATE INDEX inbox_list ON inbox (town, changed_at, record, status, stage, category, severity, grid, conflict, due_on,
    claimed_by, claimed_at);
CREATE INDEX inbox_stage ON inbox (town, stage, record) WHERE stage <> '';
CREATE INDEX inbox_conflict ON inbox (town, record) WHERE conflict;
CREATE INDEX inbox_due ON inbox (town, due_on, status, record) WHERE due_on <> '';
CREATE INDEX inbox_claimed ON inbox (town, claimed_by) WHERE claimed_by <> '';
CREATE INDEX inbox_urgent ON inbox (town, status, claimed_by, claimed_at, record) WHERE severity = 'major';
CREATE INDEX inbox_merged ON inbox (town, duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX inbox_patrol ON inbox (town, patrol) WHERE patrol IS NOT NULL;

-- The words that a hazard is found by, with their marks (see model::search).
CREATE TABLE inbox_text (
    town  bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    rowid bigint NOT NULL,                     -- inbox.seq
    text  text COLLATE "C" NOT NULL,
    PRIMARY KEY (town, rowid)
);

-- What the list of tasks shows: derived as the inbox is.
CREATE TABLE desk_task (
    town     bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    record   bytea  NOT NULL,
    what     text COLLATE "C" NOT NULL,
    words    text COLLATE "C" NOT NULL,
    about    bytea,                            -- a record id
    assignee text COLLATE "C" NOT NULL,        -- account id, or ''
    grid     text COLLATE "C" NOT NULL,        -- grid code, or ''
    due_on   text COLLATE "C" NOT NULL,        -- YYYY-MM-DD, or ''
    status   text COLLATE "C" NOT NULL,
    conflict bigint NOT NULL,                  -- 1: somebody has to settle something
    PRIMARY KEY (town, record)
);
CREATE INDEX desk_task_status ON desk_task (town, status, record);
CREATE INDEX desk_task_due ON desk_task (town, (CASE WHEN due_on = '' THEN '9999-12-31' ELSE due_on END), record);
CREATE INDEX desk_task_about ON desk_task (town, about) WHERE about IS NOT NULL;

-- Questions to the inbox that somebody keeps: an account's own.
CREATE TABLE saved_view (
    town    bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    id      bytea  NOT NULL,                   -- uuid
    account bytea  NOT NULL,
    name    text COLLATE "C" NOT NULL,
    query   text COLLATE "C" NOT NULL,         -- as the inbox is asked: state=open&category=fire
    PRIMARY KEY (town, id),
    FOREIGN KEY (town, account) REFERENCES account (town, id)
);
CREATE INDEX saved_view_account ON saved_view (town, account, name);

-- Where and when a record is on a map. Without a position the four edges are NULL.
CREATE TABLE feature (
    town       bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    record     bytea  NOT NULL,
    collection text COLLATE "C" NOT NULL,      -- hazards, patrol_lines
    south      bigint,                         -- WGS-84 in 1e-7 degrees
    west       bigint,
    north      bigint,
    east       bigint,
    begins     bigint NOT NULL,                -- seconds since 1970, as recorded
    ends       bigint NOT NULL,
    PRIMARY KEY (town, record)
);
CREATE INDEX feature_collection ON feature (town, collection, record);

-- What figures, map and coverage count of records. A record counts in the grid that it shows, once.
CREATE TABLE hazard_fact (
    town        bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    record      bytea  NOT NULL,
    grid        text COLLATE "C" NOT NULL,
    category    text COLLATE "C" NOT NULL,
    severity    text COLLATE "C" NOT NULL,
    status      text COLLATE "C" NOT NULL,
    reported_at bigint NOT NULL,               -- town's time of the first receipt
    ended_at    bigint,                        -- closed, merged or unfounded since; none: it is open
    due_on      text COLLATE "C" NOT NULL,     -- YYYY-MM-DD, or ''
    conflict    bigint NOT NULL,               -- 1: somebody has to settle something
    lat_e7      bigint,
    lon_e7      bigint,
    PRIMARY KEY (town, record)
);
CREATE INDEX hazard_fact_reported ON hazard_fact (town, grid, reported_at, ended_at, category, severity, status);
CREATE INDEX hazard_fact_ended ON hazard_fact (town, grid, ended_at, status, reported_at) WHERE ended_at IS NOT NULL;
CREATE INDEX hazard_fact_open ON hazard_fact (town, grid, due_on, ended_at) WHERE ended_at IS NULL;
CREATE INDEX hazard_fact_conflict ON hazard_fact (town, grid) WHERE conflict = 1;
CREATE INDEX hazard_fact_place ON hazard_fact (town, grid, lat_e7, lon_e7, severity, category, reported_at, ended_at)
    WHERE lat_e7 IS NOT NULL;

-- No word of who walked.
CREATE TABLE patrol_fact (
    town        bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    record      bytea  NOT NULL,
    grid        text COLLATE "C" NOT NULL,
    at          bigint NOT NULL,               -- its start, no later than its receipt
    distance_cm bigint NOT NULL,
    conflict    bigint NOT NULL,
    south_e7    bigint,                        -- the box around its line; none: it has no line
    west_e7     bigint,
    north_e7    bigint,
    east_e7     bigint,
    line        text COLLATE "C" NOT NULL DEFAULT '[]', -- its parts, as the record encodes them, a JSON list
    PRIMARY KEY (town, record)
);
CREATE INDEX patrol_fact_at ON patrol_fact (town, grid, at, distance_cm);
CREATE INDEX patrol_fact_when ON patrol_fact (town, at, record, grid);
CREATE INDEX patrol_fact_conflict ON patrol_fact (town, grid) WHERE conflict = 1;

-- Which record a template is. Versions never change their meaning.
CREATE TABLE template_fact (
    town    bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    code    text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    record  bytea  NOT NULL,
    PRIMARY KEY (town, code, version, record)
);
CREATE INDEX template_fact_record ON template_fact (town, record);

CREATE TABLE check_fact (
    town       bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    record     bytea  NOT NULL,
    household  bytea  NOT NULL,
    checked_at bigint NOT NULL,
    due_on     text COLLATE "C" NOT NULL,      -- YYYY-MM-DD, or ''
    risk       text COLLATE "C" NOT NULL,      -- of the dwelling, by its template; '' without one or without a visit
    template   text COLLATE "C" NOT NULL,
    version    bigint NOT NULL,
    conflict   bigint NOT NULL,
    PRIMARY KEY (town, record)
);
CREATE INDEX check_fact_household ON check_fact (town, household, checked_at, record);
CREATE INDEX check_fact_when ON check_fact (town, checked_at, record, household);
CREATE INDEX check_fact_template ON check_fact (town, template, version);
CREATE INDEX check_fact_conflict ON check_fact (town, household) WHERE conflict = 1;

CREATE TABLE household_fact (
    town       bigint NOT NULL DEFAULT current_setting('yaoguan.town')::bigint,
    record     bytea  NOT NULL,
    grid       text COLLATE "C" NOT NULL,
    conflict   bigint NOT NULL,                -- 1: of itself or of one of its checks
    risk       text COLLATE "C" NOT NULL,      -- after its latest visit that took place; '' before the first
    checked_at bigint,                         -- when that was
    due_on     text COLLATE "C" NOT NULL,      -- what its latest check says, or ''
    lat_e7     bigint,
    lon_e7     bigint,
    PRIMARY KEY (town, record)
);
CREATE INDEX household_fact_grid ON household_fact (town, grid, risk, due_on, conflict);
CREATE INDEX household_fact_due_in ON household_fact (town, grid, due_on, record) WHERE due_on <> '';
CREATE INDEX household_fact_due ON household_fact (town, due_on, record, grid, lat_e7, lon_e7) WHERE due_on <> '';

-- Rows of other towns are out of reach, of every statement and of whoever owns the tables.
DO $$
DECLARE
    each text;
BEGIN
    FOR each IN
        SELECT relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
          AND relname NOT IN ('town_key', 'migration')
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', each);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', each);
        EXECUTE format(
            'CREATE POLICY own_town ON %I USING (town = current_setting(''yaoguan.town'')::bigint) '
            'WITH CHECK (town = current_setting(''yaoguan.town'')::bigint)', each);
    END LOOP;
END $$;
