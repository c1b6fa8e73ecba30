-- What figures, map and coverage count of records: derived in the transaction that writes them, rebuilt when a
-- file is brought up to date. Deleted records have no row. A record counts in the grid that it shows, once.
-- An older program may not open the file afterwards.

CREATE TABLE hazard_fact (
    record      BLOB    PRIMARY KEY,
    grid        TEXT    NOT NULL,
    category    TEXT    NOT NULL,
    severity    TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    reported_at INTEGER NOT NULL,              -- town's time of the first receipt
    ended_at    INTEGER,                       -- closed, merged or unfounded since; none: it is open
    due_on      TEXT    NOT NULL,              -- YYYY-MM-DD, or ''
    conflict    INTEGER NOT NULL,              -- 1: somebody has to settle something
    lat_e7      INTEGER,
    lon_e7      INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX hazard_fact_reported ON hazard_fact (grid, reported_at, ended_at, category, severity, status);
CREATE INDEX hazard_fact_ended ON hazard_fact (grid, ended_at, status, reported_at) WHERE ended_at IS NOT NULL;
CREATE INDEX hazard_fact_open ON hazard_fact (grid, severity, due_on) WHERE ended_at IS NULL;
CREATE INDEX hazard_fact_conflict ON hazard_fact (grid) WHERE conflict = 1;
CREATE INDEX hazard_fact_place ON hazard_fact (grid, lat_e7, lon_e7, severity, category, reported_at, ended_at)
    WHERE lat_e7 IS NOT NULL;

-- No word of who walked.
CREATE TABLE patrol_fact (
    record      BLOB    PRIMARY KEY,
    grid        TEXT    NOT NULL,
    at          INTEGER NOT NULL,              -- its start, no later than its receipt
    distance_cm INTEGER NOT NULL,
    conflict    INTEGER NOT NULL,
    south_e7    INTEGER,                       -- the box around its line; none: it has no line
    west_e7     INTEGER,
    north_e7    INTEGER,
    east_e7     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX patrol_fact_at ON patrol_fact (grid, at, distance_cm);
CREATE INDEX patrol_fact_conflict ON patrol_fact (grid) WHERE conflict = 1;

-- Which record a template is. Versions never change their meaning.
CREATE TABLE template_fact (
    code    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    record  BLOB    NOT NULL,
    PRIMARY KEY (code, version, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE check_fact (
    record     BLOB    PRIMARY KEY,
    household  BLOB    NOT NULL,
    checked_at INTEGER NOT NULL,
    due_on     TEXT    NOT NULL,               -- YYYY-MM-DD, or ''
    risk       TEXT    NOT NULL,               -- of the dwelling, by its template; '' without one or without a visit
    template   TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    conflict   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX check_fact_household ON check_fact (household, checked_at, record);
CREATE INDEX check_fact_template ON check_fact (template, version);
CREATE INDEX check_fact_conflict ON check_fact (household) WHERE conflict = 1;

CREATE TABLE household_fact (
    record     BLOB    PRIMARY KEY,
    grid       TEXT    NOT NULL,
    conflict   INTEGER NOT NULL,               -- 1: of itself or of one of its checks
    risk       TEXT    NOT NULL,               -- after its latest visit that took place; '' before the first
    checked_at INTEGER,                        -- when that was
    due_on     TEXT    NOT NULL,               -- what its latest check says, or ''
    lat_e7     INTEGER,
    lon_e7     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX household_fact_grid ON household_fact (grid, risk, due_on, conflict);
CREATE INDEX household_fact_due ON household_fact (due_on, record, grid, lat_e7, lon_e7) WHERE due_on <> '';
