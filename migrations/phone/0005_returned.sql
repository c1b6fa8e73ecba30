-- A store that was brought back from a backup asks the town first what became of its unsent saves. An older
-- program may not open the file for writing afterwards.

-- None: nothing to ask. 32 bytes: the former replica id and its last push token, to be asked about. Empty:
-- the town has answered, the two are being compared.
ALTER TABLE phone ADD COLUMN returned BLOB;
