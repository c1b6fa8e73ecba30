//! The database: it opens with this key, its schema, its pages, its feed, what waits in it.

use std::path::{Path, PathBuf};

use super::{Check, Patient};
use crate::data::{DATABASE, line_file};
use crate::error::TownError;
use crate::key_file;
use crate::line::Line;
use crate::storage::postgres;
use crate::storage::sqlite::examine::{Examined, Inside, examine};

/// A save that waits longer for a supervisor than this has been forgotten.
const HELD_OLD_S: i64 = 7 * 86_400;

/// The checks, and what the tables say if they could be read.
pub(super) async fn look(patient: &Patient<'_>, now: i64) -> (Vec<Check>, Option<Inside>) {
    const NAME: &str = "database";
    let (path, examined) = match patient.database {
        Some(url) => (PathBuf::from(url.to_string()), postgres::examine(url, now).await),
        None => {
            let path = patient.data.join(DATABASE);
            if !path.exists() {
                return (vec![Check::bad(NAME, "database_missing").about(&path)], None);
            }
            let key = key_file::read(patient.key_file, patient.data);
            let examined = key.and_then(|key| examine(&path, &key, now));
            (path, examined)
        }
    };
    let examined = match examined {
        Ok(examined) => examined,
        Err(error) => return (vec![closed(&error).about(&path)], None),
    };
    let mut checks = vec![Check::ok(NAME, "database_opens").about(&path)];
    checks.push(schema(&examined));
    checks.push(durable(&examined));
    if patient.database.is_none() {
        checks.push(pages(&examined));
    }
    if let Some(inside) = &examined.inside {
        checks.extend([
            feed(inside),
            line(inside, patient.data),
            held(inside, now),
            recovered(inside),
        ]);
        checks.push(alarms(inside));
    }
    (checks, examined.inside)
}

fn closed(error: &TownError) -> Check {
    const NAME: &str = "database";
    let broken = || Check::bad(NAME, "database_broken").with("detail", error);
    match error {
        TownError::Key(_) | TownError::KeyExposed(_) | TownError::KeyInside(_) => {
            Check::bad(NAME, "database_without_key")
        }
        TownError::WrongKey => Check::bad(NAME, "wrong_key"),
        TownError::SchemaNewer { found, known } => {
            Check::bad(NAME, "schema_newer").with("found", found).with("known", known)
        }
        TownError::Missing(_) | TownError::Exists(_) | TownError::InUse(_) => broken(),
        TownError::OtherTown(_) | TownError::BadBackup(_) | TownError::StorageFull => broken(),
        TownError::Sqlite(_) | TownError::NotDurable(_) | TownError::Corrupt(_) => broken(),
        TownError::Certificate(_) | TownError::Input(_) | TownError::People(_) => broken(),
        TownError::Io(_) | TownError::Bucket(_) => broken(),
        TownError::Postgres(_) | TownError::Away(_) => broken(),
        TownError::NotEmbedded | TownError::Moved(..) => broken(),
    }
}

fn schema(examined: &Examined) -> Check {
    let Examined { found, known, .. } = examined;
    let older = found < known;
    let check = match older {
        true => Check::warn("schema", "schema_older"),
        false => Check::ok("schema", "schema_current"),
    };
    check.with("found", found).with("known", known)
}

fn durable(examined: &Examined) -> Check {
    match &examined.volatile {
        None => Check::ok("durable", "durable"),
        Some(setting) => Check::bad("durable", "not_durable").with("setting", setting),
    }
}

fn pages(examined: &Examined) -> Check {
    match examined.damage.first() {
        None => Check::ok("integrity", "pages_sound"),
        Some(first) => Check::bad("integrity", "pages_damaged").with("detail", first),
    }
}

fn feed(inside: &Inside) -> Check {
    let Inside { head, feed, .. } = inside;
    let check = match head == feed {
        true => Check::ok("feed", "feed_sound"),
        false => Check::bad("feed", "feed_broken"),
    };
    check.with("head", head).with("feed", feed)
}

/// A file that is not as far as the marker outside knows was put back from a copy. From the second line on,
/// phones may hold what this file has lost.
fn line(inside: &Inside, data: &Path) -> Check {
    if !Line::read(&line_file(data)).is_continued_by(inside.mark) {
        return Check::warn("line", "line_broken").about(&line_file(data));
    }
    match inside.lines {
        ..=1 => Check::ok("line", "first_line"),
        lines => Check::ok("line", "later_line").with("n", lines - 1),
    }
}

fn held(inside: &Inside, now: i64) -> Check {
    let standing = inside.standing;
    let days = standing.held_since.map_or(0, |since| (now - since) / 86_400);
    let check = match standing.held_since {
        Some(since) if now - since > HELD_OLD_S => Check::warn("held", "held_old"),
        Some(_) => Check::ok("held", "held_waits"),
        None => Check::ok("held", "held_none"),
    };
    check.with("n", standing.held).with("days", days)
}

fn recovered(inside: &Inside) -> Check {
    match inside.standing.recovered {
        0 => Check::ok("recovered", "recovered_none"),
        n => Check::warn("recovered", "recovered_waits").with("n", n),
    }
}

fn alarms(inside: &Inside) -> Check {
    match inside.standing.alarms {
        0 => Check::ok("alarms", "alarms_none"),
        n => Check::warn("alarms", "alarms_there").with("n", n),
    }
}
