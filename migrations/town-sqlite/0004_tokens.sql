-- Tokens for tools. An older program may not open the file afterwards.

CREATE TABLE token (
    hash       BLOB    PRIMARY KEY,            -- SHA-256 of the token; the token itself is not kept
    device     BLOB    NOT NULL REFERENCES device (id),
    account    BLOB    NOT NULL REFERENCES account (id),
    made_at    INTEGER NOT NULL,               -- town's time
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_account ON token (account, made_at);
