-- The console's administration. An older program may not open the file afterwards.

-- Town's time at which the session's person last gave the password: dangerous acts ask for it again.
ALTER TABLE session ADD COLUMN proved_at INTEGER NOT NULL DEFAULT 0;

-- How the app on the device calls itself, from its last sync.
ALTER TABLE device ADD COLUMN app TEXT NOT NULL DEFAULT '';

-- The audit page looks for acts and people too.
CREATE INDEX audit_act ON audit (act, sequence);
CREATE INDEX audit_by ON audit (by, sequence);
