-- The console over many records: indexes that its lists, figures and exports walk. What is derived is made anew when
-- a file is brought up to date. An older program may not open the file afterwards.

-- Whether a record is in somebody's cells is asked of each row of a list: answered by the index alone.
DROP INDEX feed_record;
CREATE INDEX feed_record ON feed (record, state);

-- A page of the inbox is found here, whatever is asked for; only its rows are read.
DROP INDEX inbox_changed;
CREATE INDEX inbox_list ON inbox (changed_at, record, status, stage, category, severity, grid, conflict, due_on,
    claimed_by, claimed_at);
-- What waits is counted without reading the rows.
DROP INDEX inbox_stage;
CREATE INDEX inbox_stage ON inbox (stage, record) WHERE stage <> '';
DROP INDEX inbox_due;
CREATE INDEX inbox_due ON inbox (due_on, status, record) WHERE due_on <> '';
DROP INDEX inbox_urgent;
CREATE INDEX inbox_urgent ON inbox (status, claimed_by, claimed_at, record) WHERE severity = 'major';
-- Every word is looked up in the search index, also the shortest.
ALTER TABLE inbox DROP COLUMN words;

-- In the order of the list: what has no day comes last.
CREATE INDEX desk_task_due ON desk_task (iif(due_on = '', '9999-12-31', due_on), record);

-- One range for each figure.
DROP INDEX hazard_fact_open;
CREATE INDEX hazard_fact_open ON hazard_fact (grid, due_on, ended_at) WHERE ended_at IS NULL;
CREATE INDEX household_fact_due_in ON household_fact (grid, due_on, record) WHERE due_on <> '';

-- The map draws lines from here, without reading the records.
ALTER TABLE patrol_fact ADD COLUMN line TEXT NOT NULL DEFAULT '[]'; -- its parts, as the record encodes them, a JSON list

-- Exports begin with the latest.
CREATE INDEX patrol_fact_when ON patrol_fact (at, record, grid);
CREATE INDEX check_fact_when ON check_fact (checked_at, record, household);
