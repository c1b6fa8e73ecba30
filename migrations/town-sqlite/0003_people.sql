-- Sign-in, invites that can be revoked, the audit log. An older program may not open the file afterwards.

-- A short name to sign in with and to find the account again in a table; none: it has not got one.
ALTER TABLE account ADD COLUMN login TEXT;
CREATE UNIQUE INDEX account_login ON account (login) WHERE login IS NOT NULL;

-- How a person proves to be the account's. No row: nobody can sign in to it.
CREATE TABLE credential (
    account          BLOB    PRIMARY KEY REFERENCES account (id),
    password         TEXT,                       -- PHC string, Argon2id
    password_at      INTEGER,
    reset_hash       BLOB,                       -- SHA-256 of the one-time code; the code itself is not kept
    reset_expires_at INTEGER,
    totp_secret      BLOB,                       -- 20 bytes, RFC 6238
    totp_confirmed   INTEGER NOT NULL DEFAULT 0, -- 1: asked for at each sign-in
    totp_step        INTEGER NOT NULL DEFAULT 0  -- last step used; only later ones are taken
) STRICT, WITHOUT ROWID;

-- Tries to sign in that were not right, by what was named and by where they came from. Rows of unknown
-- names are there too, so that nothing tells them from known ones.
CREATE TABLE sign_in_try (
    subject BLOB    PRIMARY KEY,               -- SHA-256 of the sort and the login or address
    wrong   INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL                   -- no earlier try is looked at
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_try_last ON sign_in_try (last_at);

ALTER TABLE invite ADD COLUMN revoked_at INTEGER;
CREATE INDEX invite_account ON invite (account);
CREATE INDEX device_account ON device (account);

-- Who did what, when and why. Only ever grows; each entry seals the one before it, see town::audit.
CREATE TABLE audit (
    sequence     INTEGER PRIMARY KEY,          -- from 1, without gaps
    at           INTEGER NOT NULL,             -- town's time
    by           TEXT    NOT NULL,             -- account id, `console:` and the system's user, or `town`
    act          TEXT    NOT NULL,             -- a word of town::audit::Act
    subject_kind TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    detail       TEXT    NOT NULL,             -- JSON without personal content
    hash         BLOB    NOT NULL              -- SHA-256 of the hash before and this entry's canonical JSON
) STRICT;
CREATE INDEX audit_subject ON audit (subject, sequence);
CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
    WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is never shortened'); END;
