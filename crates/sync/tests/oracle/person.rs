//! What people do: open forms, save, delete, settle; on a phone and at the town.

use std::collections::BTreeMap;

use yaoguan_model::{Change, Dot, FieldPath, Record, Value, deletion};
use yaoguan_sync::Local;

use crate::check::{NAMES, name};
use crate::count::Struck;
use crate::events::Events;
use crate::history::{DELETED, Effect, Event, FIELDS, PATHS, State};
use crate::phone::{Copy, Form};
use crate::prng::Prng;
use crate::shadow::{Shadow, ShadowUnsent};
use crate::wire::Fault;
use crate::world::World;

/// A save, in the words of the product and of the oracle.
struct Save {
    changes: BTreeMap<FieldPath, Change>,
    effects: Vec<Effect>,
    seen: Events,
}

impl World {
    pub fn create(&mut self, phone: usize, dice: &mut Prng) {
        if self.created == self.setting.records {
            return;
        }
        let index = self.created;
        self.created += 1;
        let blank = Self::blank(index);
        let (view, known, shown) = (blank.clone(), State::default(), Default::default());
        let form = Form { index, view, known, shown, stale: false };
        let save = self.written(&form, &blank, &State::default(), self.phones[phone].paths, dice);
        let db = &mut self.phones[phone].db;
        let local = Local::created(blank, &save.changes, db.dot());
        let mut record = State::default();
        let event =
            Event { line: db.line, effects: save.effects, seen: save.seen, cautious: false };
        record.learn(self.history.add(event));
        let shadow = Shadow { record, unsent: Some(ShadowUnsent::default()) };
        db.copies.insert(index, Copy { local, shadow });
    }

    pub fn open(&mut self, phone: usize, dice: &mut Prng) {
        if let Some(form) = self.form(phone, dice) {
            self.phones[phone].db.forms.push(form);
        }
    }

    fn form(&self, phone: usize, dice: &mut Prng) -> Option<Form> {
        let copies = &self.phones[phone].db.copies;
        let (index, copy) = copies.iter().nth(dice.below(copies.len().max(1)))?;
        let (view, known) = (copy.local.record.clone(), copy.shadow.record);
        let shown = self.history.view(&known.known);
        Some(Form { index: *index, view, known, shown, stale: false })
    }

    /// The form that was opened first, or one opened now.
    fn some_form(&mut self, phone: usize, dice: &mut Prng) -> Option<Form> {
        match self.phones[phone].db.forms.is_empty() {
            true => self.form(phone, dice),
            false => Some(self.phones[phone].db.forms.remove(0)),
        }
    }

    pub fn save(&mut self, phone: usize, dice: &mut Prng) {
        let Some(form) = self.some_form(phone, dice) else { return };
        let Some(copy) = self.phones[phone].db.copies.get(&form.index) else { return };
        let (now, state) = (copy.local.record.clone(), copy.shadow.record);
        let save = self.written(&form, &now, &state, self.phones[phone].paths, dice);
        if form.stale && form.known.known != state.known {
            self.counts.add(Struck::StaleForm);
        }
        self.commit(phone, form.index, save);
    }

    /// Deletes the record in view, or takes the deletions in view back.
    pub fn delete(&mut self, phone: usize, dice: &mut Prng, back: bool) {
        let Some(form) = self.some_form(phone, dice) else { return };
        let Some(copy) = self.phones[phone].db.copies.get(&form.index) else { return };
        let view = form.shown;
        if back && view[DELETED].is_empty() {
            return;
        }
        let replaced = view[DELETED].and(&copy.shadow.record.known);
        let (change, value) = match back {
            true => (deletion::undelete(&form.view), None),
            false => (deletion::delete(&form.view), Some(0)),
        };
        self.counts.add(if back { Struck::Undeleted } else { Struck::Deleted });
        let effects = vec![Effect { path: DELETED, value, replaced }];
        let seen = if back { Events::default() } else { form.known.known };
        let save = Save { changes: BTreeMap::from([change]), effects, seen };
        self.commit(phone, form.index, save);
    }

    /// A person chooses among the siblings of a path.
    pub fn settle(&mut self, phone: usize, dice: &mut Prng) {
        let Some(form) = self.form(phone, dice) else { return };
        let conflicts: Vec<FieldPath> = form.view.conflicts().cloned().collect();
        let Some(path) = conflicts.first() else { return };
        let at = NAMES.iter().position(|name| *name == path.as_str()).expect("a path of the run");
        let value = self.number() as i64;
        let replaced = form.shown[at];
        let dots = form.view.dots(path.as_str());
        let change = Change { replaces: dots, value: Some(Value::Int(value)) };
        let effects = vec![Effect { path: at, value: Some(value), replaced }];
        let changes = BTreeMap::from([(path.clone(), change)]);
        self.counts.add(Struck::Settled);
        self.commit(phone, form.index, Save { changes, effects, seen: Events::default() });
    }

    fn commit(&mut self, phone: usize, index: usize, save: Save) {
        let phone = &mut self.phones[phone];
        if phone.trip.as_ref().is_some_and(|t| t.request.records.iter().any(|p| p.index == index)) {
            self.counts.add(Struck::SavedInFlight);
        }
        let dot = phone.db.dot();
        let event =
            Event { line: phone.db.line, effects: save.effects, seen: save.seen, cautious: false };
        let copy = phone.db.copies.get_mut(&index).expect("a record that is there");
        copy.local.save(&save.changes, dot);
        copy.shadow.touch();
        copy.shadow.record.learn(self.history.add(event));
    }

    /// One or several fields of a form, written or removed.
    fn written(
        &mut self,
        form: &Form,
        now: &Record,
        state: &State,
        paths: usize,
        dice: &mut Prng,
    ) -> Save {
        let view = form.shown;
        let first = dice.below(paths);
        let mut chosen = vec![first];
        if dice.one_in(2) {
            chosen.push((first + 1 + dice.below(paths - 1)) % paths);
            self.counts.add(Struck::SeveralFields);
        }
        let (mut changes, mut effects) = (BTreeMap::new(), Vec::new());
        for path in chosen {
            let seen_by =
                if self.setting.fault == Fault::ReplacesAtSave { now } else { &form.view };
            let dots: Vec<Dot> = seen_by.dots(NAMES[path]);
            let removal = !view[path].is_empty() && dice.one_in(4);
            let value = if removal { None } else { Some(self.number() as i64) };
            self.counts.add(if removal { Struck::Removed } else { Struck::Written });
            // What a form had in view and the replica has since given up is not replaced by it.
            let replaced = view[path].and(&state.known);
            effects.push(Effect { path, value, replaced });
            let change = Change { replaces: dots, value: value.map(Value::Int) };
            changes.insert(name(path), change);
        }
        Save { changes, effects, seen: Events::default() }
    }

    pub fn town_open(&mut self, dice: &mut Prng) {
        let rows = &self.town.rows;
        if let Some((index, row)) = rows.iter().nth(dice.below(rows.len().max(1))) {
            let (view, known) = (row.record.clone(), row.state);
            let shown = self.history.view(&known.known);
            self.town_forms.push(Form { index: *index, view, known, shown, stale: false });
        }
    }

    pub fn town_save(&mut self, dice: &mut Prng) {
        if self.town_forms.is_empty() {
            self.town_open(dice);
        }
        let Some(form) = self.town_forms.pop() else { return };
        let Some(row) = self.town.rows.get(&form.index).cloned() else { return };
        let (mut record, mut state) = (row.record, row.state);
        let save = match dice.one_in(5) {
            false => self.written(&form, &record, &state, FIELDS, dice),
            true => {
                let replaced = form.shown[PATHS - 1].and(&state.known);
                let effects = vec![Effect { path: DELETED, value: Some(0), replaced }];
                let changes = BTreeMap::from([deletion::delete(&form.view)]);
                Save { changes, effects, seen: form.known.known }
            }
        };
        record.put(&save.changes, self.town.dot());
        let event =
            Event { line: self.town.line, effects: save.effects, seen: save.seen, cautious: false };
        state.learn(self.history.add(event));
        self.town.store(form.index, record, state);
        self.counts.add(Struck::TownWrote);
    }
}
