//! What people do on their phones, and what they had in view while they did it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yaoguan_field::{Changed, Edit, FieldError, FormPatch, FormStart, Phone, values};
use yaoguan_model::{Kind, Record, RecordId};
use yaoguan_testkit::dice::Dice;

use crate::checker::{Dot, Save, Violation, Wrote, token_of};
use crate::device::{Draft, View};
use crate::script::Act;
use crate::town::GRIDS;
use crate::world::{World, broken, name_of};

/// The paths that people write words on, by kind.
fn paths(kind: &str) -> &'static [&'static str] {
    match kind {
        "hazard" => &["title", "description", "address"],
        "household" => &["address", "contact_name"],
        "household_check" => &["note", "advice"],
        "task" => &["words"],
        _ => &[],
    }
}

/// Paths that may be left without a value.
const FREE: [&str; 6] = ["title", "description", "contact_name", "note", "advice", "recheck"];

/// Something that was tried, and whether it is known to be saved.
struct Tried {
    said: String,
    save: Option<Save>,
}

impl Tried {
    fn nothing(said: &str) -> Self {
        Self { said: said.to_owned(), save: None }
    }
}

/// The words on each path of a record in view.
fn view_of(record: &Record) -> View {
    let mut view = View::new();
    for (path, siblings) in &record.fields {
        let words = siblings.iter().filter_map(|sibling| {
            let token = token_of(&serde_json::to_value(&sibling.value).unwrap_or_default())?;
            Some((token, (sibling.dot.replica.to_string(), sibling.dot.counter)))
        });
        view.insert(path.to_string(), words.collect());
    }
    view
}

fn seen(view: &View, path: &str) -> BTreeSet<(String, Dot)> {
    view.get(path).cloned().unwrap_or_default()
}

fn word(words: &mut u64, letter: char) -> String {
    *words += 1;
    format!("w{words}{letter}")
}

fn edit_of(kind: &Kind, values: &Value) -> Edit {
    values::from_json(kind, values).expect("values of the shape that the kind has")
}

/// What a save of these values writes: the words, and what each replaced.
fn wrote(values: &Value, view: &View) -> Vec<Wrote> {
    let fields = values.as_object().into_iter().flatten();
    let words = fields.filter_map(|(path, value)| match (value, token_of(value)) {
        (_, Some(token)) => Some((Some(token), seen(view, path))),
        (Value::Null, None) => Some((None, seen(view, path))),
        (_, None) => None,
    });
    words.collect()
}

impl World {
    /// One act of a person on a phone.
    pub fn write(&mut self, act: Act, who: usize, dice: &mut Dice) -> Result<String, Violation> {
        let struck = self.devices[who].disk.struck();
        let words = &mut self.words;
        let device = &mut self.devices[who];
        // While the app syncs, a second program of the same phone writes.
        let is_second = device.phone.is_none();
        let opened = match device.phone.take() {
            Some(phone) => Some(phone),
            None if device.disk.is_dead() => None,
            None => device.second(),
        };
        let Some(mut phone) = opened else { return Ok("off".to_owned()) };
        // As the app does before each command.
        _ = phone.store_mut().renew();
        let (disk, drafts) = (device.disk.clone(), &mut device.drafts);
        let doubt = |_: &Phone| disk.is_dead() || disk.struck() != struck;
        let tried = match act {
            Act::Report | Act::Household | Act::Check | Act::Task => {
                create(act, &mut phone, words, dice, doubt)
            }
            Act::Open => open(&mut phone, drafts, dice, doubt),
            Act::SaveOpen => save_open(&mut phone, drafts, words, dice, doubt),
            Act::Edit => edit(&mut phone, words, dice, doubt),
            Act::Delete | Act::Undelete => delete(act, &mut phone, dice),
            Act::Settle => match settle(&mut phone, words, dice, doubt) {
                tried if tried.said == "no conflict" => resend(&mut phone, dice),
                tried => tried,
            },
            Act::Move => step(&mut phone, words, dice, doubt),
            Act::Resend => resend(&mut phone, dice),
            Act::Sync
            | Act::Offline
            | Act::Crash
            | Act::PowerCut
            | Act::DiskFails
            | Act::Restart => Tried::nothing("not an act of people"),
            Act::ClockJumps | Act::Backup | Act::Restore | Act::Clone | Act::TownCrash => {
                Tried::nothing("not an act of people")
            }
            Act::TownPowerCut | Act::TownRestart | Act::TownBackup | Act::TownRestore => {
                Tried::nothing("not an act of people")
            }
            Act::Rescope
            | Act::Revoke
            | Act::Enrol
            | Act::Release
            | Act::TakeRecovered
            | Act::Forge => Tried::nothing("not an act of people"),
        };
        if device.disk.struck() != struck {
            self.counts.add("phone disk failed");
        }
        if is_second {
            self.counts.add("saved during a sync");
            let changed = crate::device::changed(&mut phone, &mut self.devices[who].seen, who);
            drop(phone);
            self.pending = changed.unwrap_or_default();
        } else {
            self.devices[who].phone = Some(phone);
        }
        if act == Act::Settle && tried.save.as_ref().is_some_and(|save| save.acknowledged) {
            self.counts.add("settled");
        }
        if tried.said == "put back" {
            self.counts.add("put back from quarantine");
        }
        if let Some(save) = tried.save {
            self.checker.note(save);
        }
        for found in std::mem::take(&mut self.pending) {
            self.checker.observe(&found)?;
        }
        Ok(tried.said)
    }
}

/// Saved, not saved, or nobody knows.
fn outcome(
    record: RecordId,
    (wrote, exact): (Vec<Wrote>, bool),
    result: Result<Changed, FieldError>,
    in_doubt: bool,
) -> Tried {
    let save = |acknowledged| {
        Some(Save { record: record.to_string(), wrote: wrote.clone(), exact, acknowledged })
    };
    match result {
        Ok(_) => Tried { said: format!("saved {record}"), save: save(true) },
        Err(error) if in_doubt => {
            Tried { said: format!("? {record} {}", name_of(&error)), save: save(false) }
        }
        Err(error) => Tried::nothing(&name_of(&error)),
    }
}

fn own_grid(phone: &Phone, dice: &mut Dice) -> String {
    let identity = phone.store().identity().ok().flatten();
    let own: Vec<String> =
        identity.into_iter().flat_map(|i| i.grids).map(|grid| grid.as_str().to_owned()).collect();
    let anywhere = || GRIDS[0].to_owned();
    match dice.one_in(10) {
        true => GRIDS[dice.index(GRIDS.len())].to_owned(),
        false => dice.pick(&own).cloned().unwrap_or_else(anywhere),
    }
}

/// Ids of the records of these kinds on the phone.
fn ids(phone: &Phone, kinds: &[&str]) -> Vec<(RecordId, String)> {
    let connection = phone.store().raw();
    let Ok(mut statement) = connection.prepare_cached("SELECT id, kind FROM record ORDER BY id")
    else {
        return Vec::new();
    };
    let rows = statement.query_map([], |row| {
        Ok((RecordId::from_bytes(row.get("id")?), row.get::<_, String>("kind")?))
    });
    let Ok(rows) = rows else { return Vec::new() };
    rows.filter_map(Result::ok).filter(|(_, kind)| kinds.contains(&kind.as_str())).collect()
}

const WRITTEN: [&str; 4] = ["hazard", "household", "household_check", "task"];

fn create(
    act: Act,
    phone: &mut Phone,
    words: &mut u64,
    dice: &mut Dice,
    doubt: impl Fn(&Phone) -> bool,
) -> Tried {
    let grid = own_grid(phone, dice);
    let (kind, values) = if act == Act::Household {
        (Kind::Household, json!({ "grid": grid, "address": word(words, 'a') }))
    } else if act == Act::Check {
        let households = ids(phone, &["household"]);
        let Some((household, _)) = dice.pick(&households) else {
            return Tried::nothing("no household");
        };
        let values = json!({ "household": household.to_string(), "note": word(words, 'n'),
            "answers.exit_blocked": { "answer": "problem" } });
        (Kind::HouseholdCheck, values)
    } else if act == Act::Task {
        (Kind::Task, json!({ "what": "other", "grid": grid, "words": word(words, 'w') }))
    } else {
        let category = ["fire", "slope", "gas", "road"][dice.index(4)];
        let severity = ["general", "serious", "major"][dice.index(3)];
        let values = json!({ "category": category, "severity": severity, "grid": grid,
            "title": word(words, 't'), "description": word(words, 'd') });
        (Kind::Hazard, values)
    };
    let form = match phone.new_form(kind.clone()) {
        Ok(form) => form,
        Err(error) => return Tried::nothing(&name_of(&error)),
    };
    let id = form.record().id;
    let result = phone.save(&form, edit_of(&kind, &values));
    outcome(id, (wrote(&values, &View::new()), true), result, doubt(phone))
}

/// One or two words on a record that is in view.
fn some_values(kind: &str, view: &View, words: &mut u64, dice: &mut Dice) -> Value {
    let mut values = serde_json::Map::new();
    let paths = paths(kind);
    for _ in 0..=dice.index(2) {
        let Some(path) = dice.pick(paths) else { continue };
        let removes = FREE.contains(path) && !seen(view, path).is_empty() && dice.one_in(8);
        let letter = path.chars().next().unwrap_or('x');
        let value = if removes { Value::Null } else { Value::from(word(words, letter)) };
        values.insert((*path).to_owned(), value);
    }
    if matches!(kind, "hazard" | "household") && dice.one_in(14) {
        values.insert("grid".to_owned(), Value::from(GRIDS[dice.index(GRIDS.len())]));
    }
    Value::Object(values)
}

fn edit(
    phone: &mut Phone,
    words: &mut u64,
    dice: &mut Dice,
    doubt: impl Fn(&Phone) -> bool,
) -> Tried {
    let all = ids(phone, &WRITTEN);
    let Some((id, kind)) = dice.pick(&all).cloned() else { return Tried::nothing("nothing there") };
    let form = match phone.open_form(id) {
        Ok(form) => form,
        Err(error) => return Tried::nothing(&name_of(&error)),
    };
    let view = view_of(form.record());
    let values = some_values(&kind, &view, words, dice);
    let result = phone.save(&form, edit_of(&form.record().kind.clone(), &values));
    outcome(id, (wrote(&values, &view), true), result, doubt(phone))
}

type Drafts = std::collections::BTreeMap<String, Draft>;

/// Opens a form and keeps it as a draft: what it shows now is what its save will replace.
fn open(
    phone: &mut Phone,
    drafts: &mut Drafts,
    dice: &mut Dice,
    doubt: impl Fn(&Phone) -> bool,
) -> Tried {
    if dice.one_in(5) {
        let values = json!({ "category": "fire", "grid": own_grid(phone, dice) });
        let start =
            FormStart { kind: Some("hazard".to_owned()), record: None, values: Some(values) };
        if let Ok(form) = phone.start_form(&start) {
            let (kind, view) = ("hazard".to_owned(), View::new());
            drafts.insert(form.id.to_string(), Draft { view, kind, is_new: true, doubtful: false });
        }
        return Tried::nothing("begun");
    }
    let all = ids(phone, &WRITTEN);
    let Some((id, kind)) = dice.pick(&all).cloned() else { return Tried::nothing("nothing there") };
    let known = drafts.get(&id.to_string());
    if known.is_some_and(|draft| !draft.doubtful) {
        return Tried::nothing("open already");
    }
    if known.is_some() && phone.discard_form(id).is_err() {
        return Tried::nothing("in doubt");
    }
    let Ok(form) = phone.open_form(id) else { return Tried::nothing("gone") };
    let view = view_of(form.record());
    let start = FormStart { kind: None, record: Some(id), values: None };
    let result = phone.start_form(&start);
    let doubtful = result.is_err() && doubt(phone);
    if result.is_ok() || doubtful {
        drafts.insert(id.to_string(), Draft { view, kind, is_new: false, doubtful });
    }
    Tried::nothing(if result.is_ok() { "opened" } else { "not opened" })
}

fn save_open(
    phone: &mut Phone,
    drafts: &mut Drafts,
    words: &mut u64,
    dice: &mut Dice,
    doubt: impl Fn(&Phone) -> bool,
) -> Tried {
    let open: Vec<String> =
        drafts.iter().filter(|(_, draft)| !draft.doubtful).map(|(id, _)| id.clone()).collect();
    let Some(id) = dice.pick(&open) else { return Tried::nothing("no form") };
    let Some(draft) = drafts.get_mut(id) else { return Tried::nothing("no form") };
    let Ok(record) = id.parse::<RecordId>() else { return Tried::nothing("no id") };
    let mut values = some_values(&draft.kind, &draft.view, words, dice);
    if draft.is_new
        && let Some(map) = values.as_object_mut()
    {
        map.retain(|_, value| !value.is_null());
        map.remove("grid");
    }
    let patch = FormPatch { id: record, values: values.clone() };
    if let Err(error) = phone.patch_form(&patch) {
        // What was patched may be kept, and would be saved by another try.
        draft.doubtful = true;
        return Tried::nothing(&name_of(&error));
    }
    let result = phone.save_form(record);
    let view = draft.view.clone();
    let tried = outcome(record, (wrote(&values, &view), false), result, doubt(phone));
    match &tried.save {
        Some(save) if save.acknowledged => _ = drafts.remove(id),
        // Its words stay in the draft: it is thrown away before another one is opened.
        _ => draft.doubtful = true,
    }
    tried
}

fn delete(act: Act, phone: &mut Phone, dice: &mut Dice) -> Tried {
    let all = ids(phone, &WRITTEN);
    let Some((id, _)) = dice.pick(&all) else { return Tried::nothing("nothing there") };
    let result = if act == Act::Delete { phone.delete(*id) } else { phone.undelete(*id) };
    match result {
        Ok(_) => Tried::nothing("done"),
        Err(error) => Tried::nothing(&name_of(&error)),
    }
}

/// Writes one value where several stand.
fn settle(
    phone: &mut Phone,
    words: &mut u64,
    dice: &mut Dice,
    doubt: impl Fn(&Phone) -> bool,
) -> Tried {
    let mut open = Vec::new();
    for (id, kind) in ids(phone, &WRITTEN) {
        let Ok(form) = phone.open_form(id) else { continue };
        for path in paths(&kind) {
            if form.record().distinct(path).len() > 1 {
                open.push((id, kind.clone(), *path, view_of(form.record())));
            }
        }
    }
    let Some((id, kind, path, view)) = dice.pick(&open) else {
        return Tried::nothing("no conflict");
    };
    let values = json!({ (*path): word(words, 's') });
    let Ok(kind) = kind.parse::<Kind>();
    let result = phone.resolve(*id, edit_of(&kind, &values));
    outcome(*id, (wrote(&values, view), true), result, doubt(phone))
}

/// A step of a hazard or task, with a note.
fn step(
    phone: &mut Phone,
    words: &mut u64,
    dice: &mut Dice,
    doubt: impl Fn(&Phone) -> bool,
) -> Tried {
    let all = ids(phone, &["hazard", "task"]);
    let Some((id, _)) = dice.pick(&all).cloned() else { return Tried::nothing("nothing there") };
    let Ok(form) = phone.open_form(id) else { return Tried::nothing("gone") };
    let kind = form.record().kind.clone();
    let from = form.record().shown_text("status").unwrap_or_default().to_owned();
    let steps = kind.spec().map(|spec| spec.steps).unwrap_or_default();
    let legal: Vec<&str> = steps.iter().filter(|s| s.from == from).map(|s| s.to).collect();
    let Some(to) = dice.pick(&legal) else { return Tried::nothing("no step") };
    let mut values = json!({ "status": to, "note": word(words, 'n') });
    if *to == "assigned"
        && let Some(map) = values.as_object_mut()
    {
        let account = phone.store().identity().ok().flatten().map(|i| i.account.to_string());
        map.insert("assignee".to_owned(), Value::from(account));
    }
    let result = phone.save(&form, edit_of(&kind, &values));
    outcome(id, (wrote(&values, &View::new()), true), result, doubt(phone))
}

/// A save that the town did not take is sent again on the record as it is now.
fn resend(phone: &mut Phone, dice: &mut Dice) -> Tried {
    let Ok(entries) = phone.quarantined() else { return Tried::nothing("unreadable") };
    // What has no record any more becomes a new one, whose words would stand in two.
    let here: Vec<_> = entries
        .iter()
        .filter(|entry| matches!(phone.store().get(entry.save.kept.about.id), Ok(Some(_))))
        .collect();
    let Some(entry) = dice.pick(&here) else { return Tried::nothing("nothing kept apart") };
    match phone.mend(entry.number, &Edit::new()) {
        Ok(_) => Tried::nothing("put back"),
        Err(error) => Tried::nothing(&name_of(&error)),
    }
}

impl World {
    /// A draft of which nobody knows what it shows is thrown away.
    pub fn drop_doubtful(&mut self, who: usize) -> Result<(), Violation> {
        let device = &mut self.devices[who];
        let Some(phone) = &mut device.phone else { return Ok(()) };
        let doubtful: Vec<String> =
            device.drafts.iter().filter(|(_, d)| d.doubtful).map(|(id, _)| id.clone()).collect();
        for id in doubtful {
            let parsed = id.parse::<RecordId>();
            let parsed = parsed.map_err(|error| broken(format!("{error}")))?;
            if phone.discard_form(parsed).is_ok() {
                device.drafts.remove(&id);
            }
        }
        Ok(())
    }
}
