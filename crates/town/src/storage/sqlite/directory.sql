WITH wanted AS (
    SELECT account.id AS id, coalesce(login, '') AS sorted
    FROM account
    WHERE (:words = '' OR instr(lower(name), :words) > 0 OR instr(coalesce(login, ''), :words) > 0)
      AND (:role = '' OR role = :role)
      AND (:village = '' OR EXISTS (
          SELECT 1 FROM account_grid
          WHERE account_grid.account = account.id AND substr(grid, 1, 12) = :village))
)
SELECT id, (SELECT count(*) FROM wanted) AS total
FROM wanted
WHERE :after IS NULL OR (sorted, id) > (SELECT coalesce(login, ''), id FROM account WHERE id = :after)
ORDER BY sorted, id
LIMIT :limit
