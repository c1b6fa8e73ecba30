//! A form: opened on what is in view, saved as one transaction with one dot.
//!
//! `replaces` are the siblings in view when the form was opened, never what a sync brought in behind it.

use std::collections::BTreeMap;

use serde::Serialize;
use yaoguan_model::authorise::{Difference, Ground, authorise};
use yaoguan_model::faults::{Fault, is_broken};
use yaoguan_model::schema::{self, Invalid, Problem};
use yaoguan_model::{Change, Dot, FieldPath, Kind, Record, RecordId, Value, canonical, deletion};
use yaoguan_sync::{Local, Tx as _};

use crate::error::FieldError;
use crate::phone::Phone;

/// What the screens have to fetch again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Changed {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub kind: Kind,
    #[cfg_attr(feature = "ts", ts(type = "string[]"))]
    pub ids: Vec<RecordId>,
}

/// What a person altered: a value, or a removal.
pub type Edit = BTreeMap<FieldPath, Option<Value>>;

/// A record as it was when a person opened it.
#[derive(Debug, Clone)]
pub struct Form {
    in_view: Record,
    is_new: bool,
    /// It was kept as a draft, which goes with the save.
    is_draft: bool,
}

impl Form {
    /// The record in view.
    pub fn record(&self) -> &Record {
        &self.in_view
    }

    /// A form that was kept as a draft.
    pub(crate) fn of_draft(in_view: Record, is_new: bool) -> Self {
        Self { in_view, is_new, is_draft: true }
    }

    pub(crate) fn changes(&self, edit: &Edit) -> BTreeMap<FieldPath, Change> {
        let change = |(path, value): (&FieldPath, &Option<Value>)| {
            let replaces = self.in_view.dots(path.as_str());
            (path.clone(), Change { replaces, value: value.clone() })
        };
        edit.iter().map(change).collect()
    }
}

impl Phone {
    /// A form for a new record of this person.
    pub fn new_form(&self, kind: Kind) -> Result<Form, FieldError> {
        let author = self.identity()?.account;
        let in_view = Record::new(self.env.new_record_id(), kind, author);
        Ok(Form { in_view, is_new: true, is_draft: false })
    }

    /// A form on a record that is there.
    pub fn open_form(&self, id: RecordId) -> Result<Form, FieldError> {
        Ok(Form { in_view: self.find(id)?, is_new: false, is_draft: false })
    }

    /// Saves what was altered: one transaction, one dot. Nothing has changed when this fails.
    pub fn save(&mut self, form: &Form, edit: Edit) -> Result<Changed, FieldError> {
        let mut edit = self.with_defaults(form, edit)?;
        drop_unchanged(form, &mut edit);
        if edit.is_empty() {
            return Err(FieldError::NothingToChange);
        }
        self.save_changes(form, form.changes(&edit))
    }

    /// Deletes a record as it is in view.
    pub fn delete(&mut self, id: RecordId) -> Result<Changed, FieldError> {
        let form = self.open_form(id)?;
        let change = deletion::delete(&form.in_view);
        self.save_changes(&form, BTreeMap::from([change]))
    }

    /// Takes a deletion back.
    pub fn undelete(&mut self, id: RecordId) -> Result<Changed, FieldError> {
        let form = self.open_form(id)?;
        if form.in_view.siblings(yaoguan_model::path::DELETED).is_empty() {
            return Err(FieldError::NothingToChange);
        }
        let change = deletion::undelete(&form.in_view);
        self.save_changes(&form, BTreeMap::from([change]))
    }

    /// Settles a path with several values by writing the one that shall hold.
    pub fn resolve(&mut self, id: RecordId, edit: Edit) -> Result<Changed, FieldError> {
        let form = self.open_form(id)?;
        for path in edit.keys() {
            if form.in_view.distinct(path.as_str()).len() < 2 {
                return Err(FieldError::NotInConflict(path.to_string()));
            }
        }
        let edit = self.with_defaults(&form, edit)?;
        self.save_changes(&form, form.changes(&edit))
    }

    fn save_changes(
        &mut self,
        form: &Form,
        changes: BTreeMap<FieldPath, Change>,
    ) -> Result<Changed, FieldError> {
        let (id, kind) = (form.in_view.id, form.in_view.kind.clone());
        self.check(form, &changes)?;
        self.transact(|tx| -> Result<(), FieldError> {
            let mut state = tx.state()?;
            let dot = state.next_dot();
            let local = match tx.load(id)? {
                Some(mut local) if is_broken(Fault::ReplacesAtSave) => {
                    let mut changes = changes.clone();
                    for (path, change) in &mut changes {
                        change.replaces = local.record.dots(path.as_str());
                    }
                    local.save(&changes, dot);
                    local
                }
                Some(mut local) => {
                    local.save(&changes, dot);
                    local
                }
                None if form.is_new => Local::created(form.in_view.clone(), &changes, dot),
                None => return Err(FieldError::NotFound(id.to_string())),
            };
            tx.set_state(&state)?;
            tx.put(&local)?;
            if form.is_draft {
                tx.remove_draft(id.0)?;
            }
            Ok(())
        })?;
        Ok(Changed { kind, ids: vec![id] })
    }

    /// Everything that the town would check, before anything is saved.
    pub(crate) fn check(
        &self,
        form: &Form,
        changes: &BTreeMap<FieldPath, Change>,
    ) -> Result<(), FieldError> {
        let trial = trial(form, changes);
        let (before_around, after_around) = (self.around(&form.in_view)?, self.around(&trial)?);
        let before = (!form.is_new).then_some(&form.in_view);
        let difference = Difference { before, incoming: &trial, after: &trial };
        let town_grids = self.town_grids()?;
        let ground =
            Ground { town_grids: &town_grids, before: &before_around, after: &after_around };
        authorise(difference, &self.actor()?, ground)?;
        Ok(schema::check_limits(&trial, canonical::encode(&trial).len())?)
    }

    /// What a save writes beside what the person typed: the rules of a kind.
    pub(crate) fn with_defaults(&self, form: &Form, mut edit: Edit) -> Result<Edit, FieldError> {
        check_paths(&form.in_view.kind, &edit)?;
        if form.is_new {
            match form.in_view.kind {
                Kind::Hazard => self.hazard_defaults(&mut edit)?,
                Kind::Patrol => self.patrol_defaults(&mut edit)?,
                Kind::Household => self.household_defaults(&mut edit)?,
                Kind::HouseholdCheck => self.check_defaults(&mut edit)?,
                Kind::Task => {
                    set(&mut edit, "status", Value::text(yaoguan_model::task::START))?;
                }
                Kind::Notice | Kind::Grid | Kind::Template | Kind::Unknown(_) => {}
            }
            let recorded = Value::map([
                ("at", Value::Int(self.env.now_s())),
                ("boot_s", Value::Int(self.env.boot_elapsed_ms().div_euclid(1000))),
            ]);
            let spec = form.in_view.kind.spec();
            if spec.is_some_and(|spec| spec.find("recorded_at").is_some()) {
                set(&mut edit, "recorded_at", recorded)?;
            }
        }
        self.add_step(form, &mut edit)?;
        Ok(edit)
    }

    /// A change of status writes its step into the timeline, in the same save.
    fn add_step(&self, form: &Form, edit: &mut Edit) -> Result<(), FieldError> {
        let Some(spec) = form.in_view.kind.spec().filter(|spec| !spec.steps.is_empty()) else {
            return Ok(());
        };
        let note = edit.remove("note").flatten();
        let mut entry = vec![
            ("by", Value::text(self.identity()?.account.to_string())),
            ("at", Value::Int(self.env.now_s())),
        ];
        let to = edit.get("status").and_then(Option::as_ref).and_then(Value::as_text);
        let from = form.in_view.shown_text("status").unwrap_or(spec.start);
        let step = to
            .filter(|to| *to != from)
            .map(|to| Value::map([("from", Value::text(from)), ("to", Value::text(to))]));
        if step.is_none() && note.is_none() {
            return Ok(());
        }
        entry.extend(step.map(|step| ("step", step)));
        entry.extend(note.map(|note| ("note", note)));
        let path = format!("timeline.{}", self.env.new_record_id());
        set(edit, &path, Value::map(entry))
    }
}

/// The record as it would be after the save, under a dot that no replica has.
fn trial(form: &Form, changes: &BTreeMap<FieldPath, Change>) -> Record {
    let mut trial = form.in_view.clone();
    let highest = trial.context.iter().map(|dot| dot.counter).max().unwrap_or(0);
    trial.put(changes, Dot::new(yaoguan_model::ReplicaId([0xFF; 16]), highest + 1));
    trial
}

/// A path that the kind has not is refused before anything else; `note` stands for a timeline entry.
fn check_paths(kind: &Kind, edit: &Edit) -> Result<(), FieldError> {
    let Some(spec) = kind.spec() else { return Ok(()) };
    for path in edit.keys() {
        let is_note = path.as_str() == "note" && !spec.steps.is_empty();
        if spec.find(path.as_str()).is_none() && !is_note {
            return Err(Invalid { path: path.clone(), problem: Problem::UnknownField }.into());
        }
    }
    Ok(())
}

/// Only what differs from what was in view is written: a field left alone is no edit.
fn drop_unchanged(form: &Form, edit: &mut Edit) {
    edit.retain(|path, value| {
        let shown = form.in_view.distinct(path.as_str());
        match value {
            Some(value) => shown.len() != 1 || shown.first() != Some(&&*value),
            None => !shown.is_empty(),
        }
    });
}

/// Sets a path that the person left open.
pub(crate) fn set(edit: &mut Edit, path: &str, value: Value) -> Result<(), FieldError> {
    let path: FieldPath = path
        .parse()
        .map_err(|e: yaoguan_model::path::BadPath| FieldError::Protocol(e.to_string()))?;
    edit.entry(path).or_insert(Some(value));
    Ok(())
}
