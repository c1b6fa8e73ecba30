SELECT
    (SELECT count(*) FROM account) AS accounts,
    (SELECT count(*) FROM account WHERE disabled_at IS NOT NULL) AS disabled,
    (SELECT count(*) FROM device) AS devices,
    (SELECT count(*) FROM device WHERE revoked_at IS NOT NULL) AS revoked,
    (SELECT count(*) FROM device WHERE last_contact > ?1 - 604800) AS active,
    (SELECT nullif(max(last_contact), 0) FROM device) AS last_contact,
    (SELECT count(*) FROM held WHERE outcome = '') AS held,
    (SELECT min(received_at) FROM held WHERE outcome = '') AS held_since,
    (SELECT count(*) FROM recovered WHERE taken_at IS NULL) AS recovered,
    (SELECT count(*) FROM alarm) AS alarms,
    (SELECT max(at) FROM alarm) AS last_alarm
