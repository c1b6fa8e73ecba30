-- Elevations of a patrol that is under way. An older program may open the file: it does not write them.

ALTER TABLE track_fix ADD COLUMN ele_cm INTEGER; -- none when the receiver gave none
