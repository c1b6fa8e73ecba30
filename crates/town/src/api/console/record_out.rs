//! A record as its page shows it: every value with who wrote it and when, the timeline, what it hangs on,
//! and the steps that the asker may take. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use yaoguan_model::authorise::{Actor, relations};
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::template::Template;
use yaoguan_model::{AccountId, Dot, Record, Value, canonical};

use crate::desk::dot_text;
use crate::storage::desk::View;

/// A record with what stands around it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RecordView {
    id: String,
    kind: String,
    author: Person,
    received_at: i64,
    changed_at: i64,
    /// The same wherever the same record is.
    hash: String,
    /// Deleted by one and edited by another: a person decides.
    contested: bool,
    deleted: bool,
    fields: Vec<Field>,
    /// Of a household check: its questions in their order, then answers to others.
    answers: Vec<Answer>,
    timeline: Vec<Entry>,
    links: Vec<Linked>,
    /// Open hazards of the same category close by.
    duplicates: Vec<Linked>,
    /// Steps that the asker may take from a state that stands here.
    steps: Vec<Step>,
    /// Names of the accounts that stand in the record.
    names: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct Person {
    id: String,
    name: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Field {
    path: String,
    /// Several different values: somebody has to settle it.
    conflict: bool,
    /// The one shown comes first.
    siblings: Vec<Written>,
}

/// A value, and the save that it came with.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Written {
    /// `replica:counter`: what `replaces` names.
    dot: String,
    #[schema(value_type = serde_json::Value)]
    value: Value,
    by: Option<Person>,
    /// The phone's or the town's time as it was written down with the save, in seconds.
    at: Option<i64>,
}

/// A question about the dwelling, and what was found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Answer {
    key: String,
    /// Empty where the question is not known.
    zh: String,
    en: String,
    critical: bool,
    /// `fine`, `problem`, `not_applicable`, or empty.
    answer: String,
    note: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TimelineEntry)]
struct Entry {
    id: String,
    by: Option<Person>,
    at: i64,
    note: String,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Linked {
    id: String,
    kind: String,
    /// `patrol`, `household`, `merged_into`, `merged`, `about`, `task`, `seen`, `check`, or `near`.
    relation: &'static str,
    title: String,
    status: String,
    /// When it was seen, checked or began; or when it is due.
    at: Option<i64>,
    due_on: String,
    distance_m: Option<i64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Step {
    from: &'static str,
    to: &'static str,
    needs_note: bool,
}

/// Reads [`dot_text`].
pub(super) fn dot_of(text: &str) -> Option<Dot> {
    let (replica, counter) = text.split_once(':')?;
    Some(Dot::new(replica.parse().ok()?, counter.parse().ok()?))
}

impl RecordView {
    pub(super) fn of(view: &View, actor: &Actor, template: Option<&Template>) -> Self {
        let record = &view.record;
        let state = deletion::state(record);
        let conflicts: BTreeSet<&str> = record.conflicts().map(|path| path.as_str()).collect();
        // Answers stand beside their questions, but for those that somebody has to settle.
        let settled = |path: &str| path.starts_with("answers.") && !conflicts.contains(path);
        let shown =
            |path: &str| !path.starts_with("timeline.") && !path.starts_with('$') && !settled(path);
        let paths = record.fields.keys().filter(|path| shown(path.as_str()));
        let near = view.near.iter().map(|(other, metres)| Linked {
            distance_m: Some(metres.round() as i64),
            ..linked("near", other)
        });
        Self {
            id: record.id.to_string(),
            kind: record.kind.as_str().to_owned(),
            author: person(view, record.created_by),
            received_at: view.received_at,
            changed_at: view.changed_at,
            hash: canonical::fingerprint(record),
            contested: state == Deletion::Contested,
            deleted: state == Deletion::Deleted,
            fields: paths.map(|path| field(view, path.as_str())).collect(),
            answers: answers(record, template),
            timeline: timeline(view),
            links: view.links.iter().map(|(how, link)| linked(how.as_str(), link)).collect(),
            duplicates: near.collect(),
            steps: steps(view, actor),
            names: view.names.iter().map(|(id, name)| (id.to_string(), name.clone())).collect(),
        }
    }
}

fn answers(record: &Record, template: Option<&Template>) -> Vec<Answer> {
    let items = template.map(|template| template.items.as_slice()).unwrap_or_default();
    let said = |key: &str| {
        let value = record.shown(&format!("answers.{key}"));
        let text = |name| value.and_then(|value| value.get(name)?.as_text()).unwrap_or_default();
        (text("answer").to_owned(), text("note").to_owned())
    };
    let known = items.iter().map(|item| {
        let (answer, note) = said(&item.key);
        let (key, zh, en) = (item.key.clone(), item.zh.clone(), item.en.clone());
        Answer { key, zh, en, critical: item.critical, answer, note }
    });
    let others = record.elements("answers").map(|(key, _)| key.to_string());
    let others = others.filter(|key| items.iter().all(|item| item.key != *key)).map(|key| {
        let (answer, note) = said(&key);
        Answer { key, zh: String::new(), en: String::new(), critical: false, answer, note }
    });
    known.chain(others).collect()
}

fn person(view: &View, id: AccountId) -> Person {
    Person { id: id.to_string(), name: view.names.get(&id).cloned().unwrap_or_default() }
}

fn field(view: &View, path: &str) -> Field {
    let record = &view.record;
    let first = record.shown(path);
    let mut siblings: Vec<_> = record.siblings(path).iter().rev().collect();
    siblings.sort_by_key(|sibling| Some(&sibling.value) != first);
    let written = |sibling: &&yaoguan_model::Sibling| {
        let (by, at) = save_of(view, sibling.dot);
        Written { dot: dot_text(sibling.dot), value: sibling.value.clone(), by, at }
    };
    Field {
        path: path.to_owned(),
        conflict: record.distinct(path).len() > 1,
        siblings: siblings.iter().map(written).collect(),
    }
}

/// Who made a save, and when: its timeline entry says so, else the owner of the replica.
fn save_of(view: &View, dot: Dot) -> (Option<Person>, Option<i64>) {
    let of_save = |head: &'static str| {
        let fields = view.record.fields.iter().filter(move |(path, _)| path.head() == head);
        fields.flat_map(|(_, list)| list).find(|sibling| sibling.dot == dot)
    };
    let entry = of_save("timeline");
    let by = entry.and_then(|s| s.value.get("by")?.as_text()?.parse::<AccountId>().ok());
    let by = by.or_else(|| view.replicas.get(&dot.replica).copied());
    let at = entry.and_then(|s| s.value.get("at")?.as_int());
    let at = at.or_else(|| of_save("recorded_at")?.value.get("at")?.as_int());
    (by.map(|id| person(view, id)), at)
}

fn timeline(view: &View) -> Vec<Entry> {
    let entries = view.record.elements("timeline").map(|(id, value)| {
        let text = |value: &Value, key: &str| Some(value.get(key)?.as_text()?.to_owned());
        let step = value.get("step");
        let by = text(value, "by").and_then(|by| by.parse().ok());
        Entry {
            id: id.to_owned(),
            by: by.map(|id| person(view, id)),
            at: value.get("at").and_then(Value::as_int).unwrap_or_default(),
            note: text(value, "note").unwrap_or_default(),
            from: step.and_then(|step| text(step, "from")),
            to: step.and_then(|step| text(step, "to")),
        }
    });
    let mut entries: Vec<Entry> = entries.collect();
    entries.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    entries
}

fn linked(relation: &'static str, record: &Record) -> Linked {
    let text = |path: &str| record.shown_text(path).filter(|text| !text.is_empty());
    let title = text("title").or_else(|| text("address")).or_else(|| text("words"));
    let at = ["seen_at", "checked_at", "started_at"].into_iter();
    Linked {
        id: record.id.to_string(),
        kind: record.kind.as_str().to_owned(),
        relation,
        title: title.unwrap_or_default().to_owned(),
        status: text("status").or_else(|| text("outcome")).unwrap_or_default().to_owned(),
        at: at.filter_map(|path| record.shown(path)?.as_int()).next(),
        due_on: text("due_on").unwrap_or_default().to_owned(),
        distance_m: None,
    }
}

fn steps(view: &View, actor: &Actor) -> Vec<Step> {
    let Some(spec) = view.record.kind.spec() else { return Vec::new() };
    let relations = relations(&view.record, actor, &view.around);
    let stands = |word: &str| {
        view.record.distinct("status").iter().any(|value| value.as_text() == Some(word))
    };
    let may = |step: &&yaoguan_model::status::Step| {
        stands(step.from) && step.by.iter().any(|writer| relations.contains(writer))
    };
    let out =
        |s: &yaoguan_model::status::Step| Step { from: s.from, to: s.to, needs_note: s.needs_note };
    spec.steps.iter().filter(may).map(out).collect()
}
