//! A record as its page shows it: every field with who wrote it and when, as far as dots and timeline
//! tell; siblings; the timeline; what this person may do next.

use std::collections::BTreeMap;

use serde::Serialize;
use yaoguan_model::authorise::relations;
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{AccountId, Dot, FieldPath, Kind, Record, RecordId, ReplicaId, Value};
use yaoguan_model::{risk, status};
use yaoguan_store::Stored;

use crate::error::FieldError;
use crate::health::Rejection;
use crate::household_check::RiskView;
use crate::media::FileView;
use crate::phone::Phone;
use crate::view::{Point, Row};

/// Who wrote something, as far as this phone can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub enum Who {
    Me,
    Author,
    Assignee,
    /// Somebody else who may: a supervisor for a step of the review.
    Other,
}

/// One value of a field.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct ValueShown {
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub value: Value,
    pub who: Who,
    /// Seconds, by the clock of the phone that wrote it.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub at: Option<i64>,
}

/// A field with the value shown first; several when people wrote different things.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct FieldShown {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub path: FieldPath,
    pub values: Vec<ValueShown>,
}

/// A step or a note.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Entry {
    pub who: Who,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub at: i64,
    pub from: String,
    pub to: String,
    pub note: String,
}

/// A step that this person may take now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct StepOffered {
    pub to: &'static str,
    pub needs_note: bool,
}

/// The page of a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct RecordPage {
    pub row: Row,
    pub fields: Vec<FieldShown>,
    /// Oldest first.
    pub timeline: Vec<Entry>,
    pub steps: Vec<StepOffered>,
    /// Paths that this person may write.
    pub editable: Vec<&'static str>,
    pub rejections: Vec<Rejection>,
    /// Deleted by one, edited by another.
    pub contested: bool,
    /// Of a check: the risk of its answers.
    pub risk: Option<RiskView>,
    /// Of a household: its checks, newest first. Of a check: its household. Of a task: its subject.
    pub related: Vec<Row>,
    /// Of a patrol: its line, broken at gaps.
    pub line: Vec<Vec<Point>>,
    pub photos: Vec<FileView>,
    /// Of a patrol: the file with every fix.
    pub track: Option<FileView>,
}

impl Phone {
    pub fn record_page(&self, id: RecordId) -> Result<RecordPage, FieldError> {
        let stored = self.store.get(id)?;
        let stored = stored.ok_or_else(|| FieldError::NotFound(id.to_string()))?;
        let record = &stored.record;
        let around = self.surroundings()?;
        let writers = self.writers(record)?;
        let (steps, editable) = self.may(record)?;
        let risk = match record.kind {
            Kind::HouseholdCheck => Some(self.assess(&risk::answers_of(record))?),
            Kind::Hazard | Kind::Patrol | Kind::Household | Kind::Task | Kind::Notice => None,
            Kind::Grid | Kind::Template | Kind::Unknown(_) => None,
        };
        Ok(RecordPage {
            row: self.whole_row(around.row(&stored))?,
            fields: fields(record, &writers),
            timeline: timeline(record, &writers),
            steps,
            editable,
            rejections: self.rejections(Some(id))?,
            contested: deletion::state(record) == Deletion::Contested,
            risk,
            related: self.related(record)?,
            line: line(record),
            photos: self.photos(id)?,
            track: self.track_of(record)?,
        })
    }

    fn related(&self, record: &Record) -> Result<Vec<Row>, FieldError> {
        let unsent = false;
        let mut found = Vec::new();
        if record.kind == Kind::Household {
            let checks = self.store.checks_of(record.id)?.into_iter();
            found.extend(checks.map(|record| Stored { record, unsent }));
        }
        for path in ["household", "about", "patrol"] {
            let id = record.shown_text(path).and_then(|text| text.parse::<RecordId>().ok());
            if let Some(id) = id {
                found.extend(self.store.get(id)?);
            }
        }
        self.rows(&found)
    }

    fn may(&self, record: &Record) -> Result<(Vec<StepOffered>, Vec<&'static str>), FieldError> {
        let Some(spec) = record.kind.spec() else { return Ok((Vec::new(), Vec::new())) };
        let relations = relations(record, &self.actor()?, &self.around(record)?);
        let from = record.shown_text("status").unwrap_or(spec.start);
        let mine = |by: &[_]| by.iter().any(|writer| relations.contains(writer));
        let steps = spec.steps.iter().filter(|step| step.from == from && mine(step.by));
        let steps = steps.map(|step| StepOffered { to: step.to, needs_note: step.needs_note });
        let open = |path: &&yaoguan_model::schema::PathSpec| !path.immutable && mine(path.writers);
        let editable = spec.paths.iter().filter(open).map(|path| path.path);
        Ok((steps.collect(), editable.collect()))
    }

    /// Who wrote under which dot: told by the timeline entry or the creation of the same save, else by
    /// the replica.
    fn writers(&self, record: &Record) -> Result<Writers, FieldError> {
        let me = self.identity()?.account;
        let mut saves = BTreeMap::new();
        for (path, siblings) in &record.fields {
            for sibling in siblings {
                let value = &sibling.value;
                let at = value.get("at").and_then(Value::as_int);
                let by = match path.head() {
                    "timeline" => value.get("by").and_then(Value::as_text),
                    "recorded_at" => None,
                    _ => continue,
                };
                let by = by.and_then(|by| by.parse().ok()).unwrap_or(record.created_by);
                saves.insert(sibling.dot, (by, at));
            }
        }
        let assignee = record.shown_text("assignee").and_then(|text| text.parse().ok());
        let own = self.store.state()?.replica;
        Ok(Writers { me, author: record.created_by, assignee, own, saves })
    }
}

struct Writers {
    me: AccountId,
    author: AccountId,
    assignee: Option<AccountId>,
    own: ReplicaId,
    saves: BTreeMap<Dot, (AccountId, Option<i64>)>,
}

impl Writers {
    fn who(&self, by: AccountId) -> Who {
        if by == self.me {
            Who::Me
        } else if by == self.author {
            Who::Author
        } else if Some(by) == self.assignee {
            Who::Assignee
        } else {
            Who::Other
        }
    }

    fn of(&self, dot: Dot) -> (Who, Option<i64>) {
        match self.saves.get(&dot) {
            Some((by, at)) => (self.who(*by), *at),
            None if dot.replica == self.own => (Who::Me, None),
            None => {
                // Another save of the same line of writes tells whose line it is.
                let same = self.saves.iter().find(|(other, _)| other.replica == dot.replica);
                (same.map_or(Who::Other, |(_, (by, _))| self.who(*by)), None)
            }
        }
    }
}

fn fields(record: &Record, writers: &Writers) -> Vec<FieldShown> {
    let shown = |path: &&FieldPath| {
        !path.is_deleted() && !matches!(path.head(), "timeline" | "recorded_at")
    };
    let field = |path: &FieldPath| {
        let mut values: Vec<ValueShown> = Vec::new();
        // The value shown comes first.
        let first = record.shown(path.as_str());
        let mut siblings: Vec<_> = record.siblings(path.as_str()).iter().rev().collect();
        siblings.sort_by_key(|sibling| Some(&sibling.value) != first);
        for sibling in siblings {
            if !values.iter().any(|seen| seen.value == sibling.value) {
                let (who, at) = writers.of(sibling.dot);
                values.push(ValueShown { value: sibling.value.clone(), who, at });
            }
        }
        FieldShown { path: path.clone(), values }
    };
    record.fields.keys().filter(shown).map(field).collect()
}

fn timeline(record: &Record, writers: &Writers) -> Vec<Entry> {
    let entries = record.fields.iter().filter(|(path, _)| path.head() == "timeline");
    let mut timeline: Vec<Entry> = entries
        .filter_map(|(_, siblings)| siblings.last())
        .map(|sibling| {
            let taken = status::taken(&sibling.value);
            let note = sibling.value.get("note").and_then(Value::as_text);
            let (who, at) = writers.of(sibling.dot);
            Entry {
                who,
                at: at.unwrap_or(0),
                from: taken.as_ref().map_or("", |taken| taken.from).to_owned(),
                to: taken.as_ref().map_or("", |taken| taken.to).to_owned(),
                note: note.unwrap_or_default().to_owned(),
            }
        })
        .collect();
    timeline.sort_by_key(|entry| entry.at);
    timeline
}

fn line(record: &Record) -> Vec<Vec<Point>> {
    use yaoguan_model::geodesy::line::{LINE_PRECISION, decode};
    let parts = record.shown("line").and_then(Value::as_list).unwrap_or_default();
    let decoded = parts.iter().filter_map(|part| decode(part.as_text()?, LINE_PRECISION).ok());
    decoded.map(|part| part.into_iter().map(Point::from).collect()).collect()
}
