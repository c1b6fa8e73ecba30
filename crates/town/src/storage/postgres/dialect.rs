//! Statements as PostgreSQL takes them: places numbered by `$`, every key beginning with the town.
//!
//! What the statements call by SQLite's names and PostgreSQL has under others (`json_each`, `iif`, …) the schema
//! brings; here is only what no function can stand for.

/// A statement, and which parameters stand at its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translated {
    pub sql: String,
    /// `:name` by place, for a statement that names its parameters.
    pub names: Vec<String>,
}

pub(super) fn translate(sql: &str) -> Translated {
    let (sql, names) = places(sql);
    let sql = sql
        .replace("ON CONFLICT (", "ON CONFLICT (town, ")
        .replace(" LIKE ", " ILIKE ")
        .replace("AS BLOB)", "AS bytea)");
    let sql = joins(&sql);
    Translated { sql: upserts(&sql), names }
}

/// `?1` and `:name` become `$1`; quoted texts stay.
fn places(sql: &str) -> (String, Vec<String>) {
    let mut names: Vec<String> = Vec::new();
    let mut out = String::with_capacity(sql.len());
    let mut quoted = false;
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        quoted ^= c == '\'';
        match c {
            '?' if !quoted => out.push('$'),
            ':' if !quoted => {
                let mut name = String::from(':');
                while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                let place = names.iter().position(|known| *known == name).unwrap_or(names.len());
                if place == names.len() {
                    names.push(name);
                }
                out.push_str(&format!("${}", place + 1));
            }
            _ => out.push(c),
        }
    }
    (out, names)
}

/// SQLite's `CROSS JOIN … ON` fixes the order of loops; elsewhere a cross join has no condition.
fn joins(sql: &str) -> String {
    let mut parts = sql.split("CROSS JOIN ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let has_condition = part.split_whitespace().nth(1) == Some("ON");
        out.push_str(if has_condition { "JOIN " } else { "CROSS JOIN " });
        out.push_str(part);
    }
    out
}

/// `INSERT OR IGNORE` and `INSERT OR REPLACE`, which replaces by the primary key.
fn upserts(sql: &str) -> String {
    if let Some(insert) = sql.strip_prefix("INSERT OR IGNORE INTO ") {
        return format!("INSERT INTO {insert} ON CONFLICT DO NOTHING");
    }
    let Some(insert) = sql.strip_prefix("INSERT OR REPLACE INTO ") else { return sql.to_owned() };
    let (table, list) = insert.split_once(" (").unwrap_or_default();
    let (columns, _) = list.split_once(')').unwrap_or_default();
    let set: Vec<String> =
        columns.split(',').map(|column| format!("{0} = excluded.{0}", column.trim())).collect();
    format!(
        "INSERT INTO {insert} ON CONFLICT ON CONSTRAINT {table}_pkey DO UPDATE SET {}",
        set.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_and_texts_stay() {
        let asked =
            translate("SELECT a FROM b WHERE c = :one AND d = ':two' AND e > :two OR f = :one");
        assert_eq!(asked.sql, "SELECT a FROM b WHERE c = $1 AND d = ':two' AND e > $2 OR f = $1");
        assert_eq!(asked.names, [":one", ":two"]);
        assert_eq!(translate("SELECT ?2, ?1").sql, "SELECT $2, $1");
    }

    #[test]
    fn keys_begin_with_the_town() {
        let replaced = translate("INSERT OR REPLACE INTO grid (code, record) VALUES (?1, ?2)").sql;
        assert_eq!(
            replaced,
            "INSERT INTO grid (code, record) VALUES ($1, $2) ON CONFLICT ON CONSTRAINT grid_pkey \
             DO UPDATE SET code = excluded.code, record = excluded.record"
        );
        let ignored = translate("INSERT OR IGNORE INTO a (b) VALUES (?1)").sql;
        assert_eq!(ignored, "INSERT INTO a (b) VALUES ($1) ON CONFLICT DO NOTHING");
        let kept = translate("INSERT INTO a (b) VALUES (?1) ON CONFLICT (b) DO NOTHING").sql;
        assert_eq!(kept, "INSERT INTO a (b) VALUES ($1) ON CONFLICT (town, b) DO NOTHING");
    }

    #[test]
    fn a_join_with_a_condition_is_a_plain_one() {
        assert_eq!(
            translate("SELECT 1 FROM a CROSS JOIN b ON b.c = a.c CROSS JOIN d").sql,
            "SELECT 1 FROM a JOIN b ON b.c = a.c CROSS JOIN d"
        );
    }
}
