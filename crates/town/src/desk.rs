//! Why a report waits for a supervisor, read from its record alone. Pure: the inbox is rebuilt from records.

use yaoguan_model::{Dot, Record, RecordId, Value, status};

/// Nobody has looked at it yet.
pub const NEW: &str = "new";
/// It was returned and has come back.
pub const CORRECTED: &str = "corrected";
/// Somebody else wrote after the last decision: it was put right, or there is more to say.
pub const CHANGED: &str = "changed";
/// Every word of [`stage`] that names a reason.
pub const STAGES: [&str; 3] = [NEW, CORRECTED, CHANGED];

/// Where a supervisor's step leads.
const DECISIONS: [&str; 7] =
    ["verified", "assigned", "returned", "closed", "merged", "unfounded", "transferred"];

/// An entry of the timeline as far as it matters here.
struct Entry<'a> {
    key: &'a str,
    at: i64,
    by: Option<&'a str>,
    step: Option<(&'a str, &'a str)>,
}

/// The timeline in the order in which the page shows it.
fn entries(record: &Record) -> Vec<Entry<'_>> {
    let read = |(key, value)| {
        let value: &Value = value;
        let at = value.get("at").and_then(Value::as_int).unwrap_or_default();
        let by = value.get("by").and_then(Value::as_text);
        let step = status::taken(value).map(|taken| (taken.from, taken.to));
        Entry { key, at, by, step }
    };
    let mut entries: Vec<Entry<'_>> = record.elements("timeline").map(read).collect();
    entries.sort_by_key(|entry| (entry.at, entry.key));
    entries
}

/// [`NEW`], [`CORRECTED`], [`CHANGED`], or empty: nothing is waited for.
pub fn stage(record: &Record) -> &'static str {
    let entries = entries(record);
    let steps = || entries.iter().filter_map(|entry| entry.step);
    match record.shown_text("status") {
        Some("reported") if steps().any(|step| step == ("returned", "reported")) => CORRECTED,
        Some("reported") => NEW,
        Some("rectified") => CHANGED,
        Some("closed" | "merged" | "unfounded") | None => "",
        Some(_) => {
            let decides =
                |entry: &Entry<'_>| entry.step.is_some_and(|(_, to)| DECISIONS.contains(&to));
            let Some(at) = entries.iter().rposition(decides) else { return "" };
            let by = entries.get(at).and_then(|entry| entry.by);
            let later = entries.get(at + 1..).unwrap_or_default();
            if later.iter().any(|entry| entry.by != by) { CHANGED } else { "" }
        }
    }
}

/// When the claim that is shown was made; 0: its save does not say.
pub fn claimed_at(record: &Record) -> i64 {
    let Some(claim) = record.siblings("claimed_by").last() else { return 0 };
    let entries = record.fields.iter().filter(|(path, _)| path.head() == "timeline");
    let mut of_save = entries.flat_map(|(_, list)| list).filter(|entry| entry.dot == claim.dot);
    of_save.find_map(|entry| entry.value.get("at")?.as_int()).unwrap_or_default()
}

/// Everything that somebody may look for: what all siblings say, and what was said on the way.
pub fn words(record: &Record) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for path in ["title", "address", "description"] {
        texts.extend(record.distinct(path).iter().filter_map(|value| value.as_text()));
    }
    for (path, key) in [("rectification", "measures"), ("transfer", "unit"), ("transfer", "answer")]
    {
        texts.extend(record.distinct(path).iter().filter_map(|value| value.get(key)?.as_text()));
    }
    let notes = record.elements("timeline").filter_map(|(_, value)| value.get("note")?.as_text());
    texts.extend(notes);
    texts.join("\n")
}

/// The dots of the status: what a decision made on the list replaces.
pub fn status_dots(record: &Record) -> String {
    let dots: Vec<String> = record.dots("status").into_iter().map(dot_text).collect();
    dots.join(" ")
}

/// A dot as it travels to the console and back.
pub fn dot_text(dot: Dot) -> String {
    format!("{}:{}", dot.replica, dot.counter)
}

/// A register that names another record.
pub fn record_id(record: &Record, path: &str) -> Option<RecordId> {
    record.shown_text(path)?.parse().ok()
}
