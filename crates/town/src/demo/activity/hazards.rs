//! Reports and what becomes of them: reported, returned and corrected, handed out, put right, looked at again.

use yaoguan_model::{AccountId, Env as _, Kind, Record, RecordId, Value};

use super::crowd::{Crowd, Save, set};
use super::places::Place;
use super::words;
use crate::days::day_of;
use crate::error::TownError;
use crate::people::Account;

/// A report; with the patrol on which it was seen.
pub(super) fn report(
    crowd: &mut Crowd<'_>,
    by: AccountId,
    place: &Place,
    (patrol, household): (Option<RecordId>, Option<RecordId>),
) -> Result<Option<RecordId>, TownError> {
    let dice = crowd.dice;
    let (Some(row), Some(position)) = (dice.pick(words::HAZARDS), place.point(dice)) else {
        return Ok(None);
    };
    let (title, description) = dice.pick(row.1).unwrap_or_default();
    let severity = match dice.between(0, 100) {
        0..=5 => "major",
        6..=30 => "serious",
        _ => "general",
    };
    let seen_at = dice.now_s() - dice.between(60, 5400);
    let address = format!("{}{}", place.village, dice.word(words::PLACES));
    let recorded = Value::map([("at", Value::Int(seen_at + 40))]);
    let mut save: Save = vec![
        set("category", row.0),
        set("severity", severity),
        set("title", title),
        set("description", description),
        set("position", position.to_value("gps")),
        set("address", address),
        set("grid", place.code.as_str()),
        set("seen_at", seen_at),
        set("recorded_at", recorded),
    ];
    save.extend(patrol.map(|id| set("patrol", id.to_string())));
    save.extend(household.map(|id| set("household", id.to_string())));
    if dice.chance(8) {
        // Put right on the spot: report and rectification in one save.
        let entry = crowd.entry(by, Some(("reported", "rectified")), "");
        let done = done_about(crowd, row.0);
        save.extend([set("status", "rectified"), set("timeline", entry), done]);
    } else {
        save.push(set("status", "reported"));
    }
    crowd.add(by, Kind::Hazard, save).map(Some)
}

fn done_about(crowd: &Crowd<'_>, category: &str) -> (&'static str, Option<Value>) {
    let row = words::HAZARDS.iter().find(|row| row.0 == category);
    let measures = crowd.dice.word(row.map_or(&[], |row| row.2));
    let done = [("measures", Value::text(measures)), ("done_at", crowd.dice.now_s().into())];
    set("rectification", Value::map(done))
}

/// What a chief does with what was given to them or came back, some of it.
pub(super) fn work(crowd: &mut Crowd<'_>, person: &Account) -> Result<(), TownError> {
    let by = person.id;
    let states = ["returned", "assigned", "rectifying"];
    for id in crowd.find(&Kind::Hazard, &person.grids, &states) {
        let Some(record) = crowd.town.get(&id) else { continue };
        let text = |path| record.shown_text(path).unwrap_or_default().to_owned();
        let (status, category) = (text("status"), text("category"));
        let (author, assignee) = (record.created_by, text("assignee") == by.to_string());
        let luck = crowd.dice.between(0, 100);
        match status.as_str() {
            "returned" if author == by && luck < 55 => {
                let words = crowd.dice.word(words::CORRECTED);
                let description = format!("{}{words}", text("description"));
                let more = vec![set("description", description)];
                crowd.step(by, id, "reported", "已补充更正。", more)?;
            }
            "assigned" if assignee && luck < 35 => crowd.step(by, id, "rectifying", "", vec![])?,
            "assigned" | "rectifying" if assignee && luck < 62 => {
                let more = vec![done_about(crowd, &category)];
                crowd.step(by, id, "rectified", "", more)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a supervisor does in the afternoon. `chiefs` finds who puts things right in a grid.
pub(super) fn review(
    crowd: &mut Crowd<'_>,
    person: &Account,
    chief: &impl Fn(&Record) -> Option<AccountId>,
) -> Result<(), TownError> {
    let states = ["reported", "verified", "rectified", "transferred"];
    for id in crowd.find(&Kind::Hazard, &person.grids, &states) {
        let Some(record) = crowd.town.get(&id).cloned() else { continue };
        let luck = crowd.dice.between(0, 100);
        match record.shown_text("status").unwrap_or_default() {
            "reported" if luck < 72 => first_look(crowd, person.id, &record, chief)?,
            "reported" if luck < 76 => {
                let claim = vec![set("claimed_by", person.id.to_string())];
                crowd.save(person.id, id, claim)?;
            }
            "verified" if luck < 45 => assign(crowd, person.id, &record, chief)?,
            "rectified" if luck < 55 => {
                let recheck = [
                    ("by", Value::text(person.id.to_string())),
                    ("at", crowd.dice.now_s().into()),
                    ("passed", true.into()),
                ];
                let more = vec![set("recheck", Value::map(recheck))];
                crowd.step(person.id, id, "closed", "复查合格。", more)?;
            }
            "rectified" if luck < 66 => {
                let why = crowd.dice.word(words::AGAIN);
                crowd.step(person.id, id, "assigned", why, vec![])?;
            }
            "transferred" if luck < 14 => answer(crowd, person.id, &record)?,
            _ => {}
        }
    }
    Ok(())
}

fn first_look(
    crowd: &mut Crowd<'_>,
    by: AccountId,
    record: &Record,
    chief: &impl Fn(&Record) -> Option<AccountId>,
) -> Result<(), TownError> {
    let (dice, id) = (crowd.dice, record.id);
    match dice.between(0, 100) {
        0..=57 => {
            crowd.step(by, id, "verified", "", vec![])?;
            assign(crowd, by, record, chief)
        }
        58..=70 => crowd.step(by, id, "returned", dice.word(words::RETURNED), vec![]),
        71..=75 => crowd.step(by, id, "unfounded", dice.word(words::UNFOUNDED), vec![]),
        76..=80 => {
            let unit = [("unit", dice.word(words::UNITS).into()), ("at", dice.now_s().into())];
            let more = vec![set("transfer", Value::map(unit))];
            crowd.step(by, id, "transferred", "超出本镇处置范围，移交。", more)
        }
        81..=84 => match twin(crowd, record) {
            Some(other) => {
                let more = vec![set("duplicate_of", other.to_string())];
                crowd.step(by, id, "merged", "与已有上报重复。", more)
            }
            None => crowd.step(by, id, "verified", "", vec![]),
        },
        _ => crowd.step(by, id, "verified", "", vec![]),
    }
}

/// Another open report of the same sort in the same grid.
fn twin(crowd: &Crowd<'_>, record: &Record) -> Option<RecordId> {
    let same = |other: &&Record| {
        let alike = |path| other.shown_text(path) == record.shown_text(path);
        let open = matches!(other.shown_text("status"), Some("verified" | "assigned"));
        other.kind == Kind::Hazard
            && other.id != record.id
            && open
            && alike("grid")
            && alike("category")
    };
    crowd.town.values().find(same).map(|other| other.id)
}

fn assign(
    crowd: &mut Crowd<'_>,
    by: AccountId,
    record: &Record,
    chief: &impl Fn(&Record) -> Option<AccountId>,
) -> Result<(), TownError> {
    let Some(assignee) = chief(record) else { return Ok(()) };
    let due = day_of(crowd.dice.now_s() + crowd.dice.between(2, 12) * 86_400);
    let more = vec![set("assignee", assignee.to_string()), set("due_on", due)];
    crowd.step(by, record.id, "assigned", "请按期整改并上报。", more)
}

fn answer(crowd: &mut Crowd<'_>, by: AccountId, record: &Record) -> Result<(), TownError> {
    let mut transfer =
        record.shown("transfer").and_then(Value::as_map).cloned().unwrap_or_default();
    transfer.insert("answer".to_owned(), crowd.dice.word(words::ANSWERS).into());
    let more = vec![set("transfer", Value::Map(transfer))];
    crowd.step(by, record.id, "closed", "接收单位已答复。", more)
}
