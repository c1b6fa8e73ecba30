//! Patrols, households and their checks, tasks and notices.

use yaoguan_model::geodesy::summarise;
use yaoguan_model::risk::{Answer, advice, assess, recheck_days};
use yaoguan_model::template::builtin;
use yaoguan_model::{AccountId, Env as _, FieldPath, Kind, RecordId, Value};

use super::crowd::{Crowd, Save, set};
use super::places::Place;
use super::words;
use crate::days::day_of;
use crate::error::TownError;
use crate::people::Account;

/// Households of one grid.
pub(super) const HOUSEHOLDS: usize = 7;

/// A patrol that ended just now.
pub(super) fn patrol(
    crowd: &mut Crowd<'_>,
    by: &Account,
    place: &Place,
    team: &'static str,
) -> Result<RecordId, TownError> {
    let dice = crowd.dice;
    let fixes = dice.between(70, 230);
    let begun = dice.now_s() - fixes * 15 - dice.between(120, 900);
    let walked = place.walk(dice, begun, fixes);
    let ended = walked.last().and_then(|fix| fix.at_ms).map_or(begun, |ms| ms / 1000);
    let summary = summarise(&[walked]).map_err(|e| TownError::Corrupt(e.to_string()))?;
    let line = summary.line.into_iter().map(Value::Text).collect();
    let mut save: Save = vec![
        set("team", team),
        set("grid", place.code.as_str()),
        set("started_at", begun),
        set("ended_at", ended),
        set("members", dice.between(2, 6)),
        set("weather", dice.word(words::WEATHER)),
        set("distance_cm", summary.distance_cm),
        set("duration_s", summary.times.duration_s().unwrap_or_default()),
        set("gap_s", summary.times.gap_s()),
        set("line", Value::List(line)),
        set("recorded_at", Value::map([("at", Value::Int(ended))])),
    ];
    if dice.chance(70) {
        save.push(set("note", dice.word(words::PATROL_NOTES)));
    }
    crowd.add(by.id, Kind::Patrol, save)
}

/// A dwelling that is visited from now on.
pub(super) fn household(
    crowd: &mut Crowd<'_>,
    by: AccountId,
    place: &Place,
) -> Result<RecordId, TownError> {
    let dice = crowd.dice;
    let street = dice.word(words::STREETS);
    let address = format!("{}{street}{}号", place.village, dice.between(1, 140));
    let occupants = dice.word(&["empty", "1", "2_3", "2_3", "4_6", "4_6", "7_plus"]);
    let mut save: Save = vec![
        set("address", address),
        set("grid", place.code.as_str()),
        set("occupants", occupants),
        set("recorded_at", Value::map([("at", Value::Int(dice.now_s()))])),
    ];
    save.extend(place.point(dice).map(|at| set("position", at.to_value("gps"))));
    crowd.add(by, Kind::Household, save)
}

/// A visit to it.
pub(super) fn check(
    crowd: &mut Crowd<'_>,
    by: AccountId,
    household: RecordId,
) -> Result<RecordId, TownError> {
    let dice = crowd.dice;
    let outcome = match dice.between(0, 100) {
        0..=8 => "nobody_home",
        9..=12 => "declined",
        _ => "done",
    };
    let now = dice.now_s();
    let mut save: Save = vec![
        set("household", household.to_string()),
        set("template", builtin::CODE),
        set("template_version", builtin::VERSION),
        set("outcome", outcome),
        set("checked_at", now - dice.between(60, 1200)),
        set("recorded_at", Value::map([("at", Value::Int(now))])),
    ];
    let items = builtin::items();
    let mut answers = std::collections::BTreeMap::new();
    let mut written = Vec::new();
    if outcome == "done" {
        // Most dwellings have next to nothing, some have a lot.
        let problems = dice.pick(&[0, 1, 2, 3, 5, 8, 14]).unwrap_or_default();
        for item in &items {
            let rate = if item.critical { problems / 3 } else { problems };
            let (answer, word) = match dice.between(0, 100) {
                n if n < rate => (Answer::Problem, "problem"),
                n if n > 88 => (Answer::NotApplicable, "not_applicable"),
                _ => (Answer::Fine, "fine"),
            };
            answers.insert(item.key.clone(), answer);
            let mut value = vec![("answer", Value::text(word))];
            if answer == Answer::Problem {
                value.push(("note", dice.word(words::ITEM_NOTES).into()));
            }
            written.push((item.key.clone(), Value::map(value)));
        }
        let level = assess(&items, &answers).level;
        save.push(set("due_on", day_of(now + recheck_days(level) * 86_400)));
        save.push(set("advice", advice(&items, &answers, true)));
        let consent = [("notice_version", Value::text("1")), ("at", Value::Int(now))];
        save.push(set("consent", Value::map(consent)));
    }
    let id = crowd.add(by, Kind::HouseholdCheck, save)?;
    crowd.answers(by, id, written)?;
    Ok(id)
}

impl Crowd<'_> {
    /// The answers of a check: paths that no list of words knows beforehand.
    fn answers(
        &mut self,
        by: AccountId,
        id: RecordId,
        answers: Vec<(String, Value)>,
    ) -> Result<(), TownError> {
        let element = |(key, value): (String, Value)| {
            let path = FieldPath::element("answers", &key);
            path.map(|path| (path, Some(value))).map_err(|e| TownError::Corrupt(e.to_string()))
        };
        let save = answers.into_iter().map(element).collect::<Result<Vec<_>, _>>()?;
        if save.is_empty() { Ok(()) } else { self.save_paths(by, id, save) }
    }
}

/// Something that a grid's chief is asked to do.
pub(super) fn give_task(
    crowd: &mut Crowd<'_>,
    by: &Account,
    place: &Place,
    chief: Option<AccountId>,
    about: Option<RecordId>,
) -> Result<(), TownError> {
    let dice = crowd.dice;
    let (what, text) = dice.pick(words::TASKS).unwrap_or_default();
    let due = day_of(dice.now_s() + dice.between(1, 9) * 86_400);
    let mut save: Save = vec![
        set("what", what),
        set("words", text),
        set("grid", place.code.as_str()),
        set("due_on", due),
        set("status", "open"),
    ];
    save.extend(chief.filter(|_| dice.chance(60)).map(|id| set("assignee", id.to_string())));
    save.extend(about.filter(|_| what == "recheck").map(|id| set("about", id.to_string())));
    crowd.add(by.id, Kind::Task, save)?;
    Ok(())
}

/// What a chief does about the tasks of the own grids.
pub(super) fn tasks(crowd: &mut Crowd<'_>, person: &Account) -> Result<(), TownError> {
    for id in crowd.find(&Kind::Task, &person.grids, &["open", "acknowledged"]) {
        let status = crowd.town.get(&id).and_then(|record| record.shown_text("status"));
        let (dice, open) = (crowd.dice, status == Some("open"));
        match dice.between(0, 100) {
            0..=44 if open => crowd.step(person.id, id, "acknowledged", "", vec![])?,
            45..=52 if open => {
                let why = dice.word(words::DECLINED);
                crowd.step(person.id, id, "declined", why, vec![])?;
            }
            0..=59 if !open => crowd.step(person.id, id, "done", "已完成。", vec![])?,
            _ => {}
        }
    }
    Ok(())
}

/// A word of the town to those on duty in a supervisor's grids, or to everybody.
pub(super) fn notice(crowd: &mut Crowd<'_>, by: &Account) -> Result<(), TownError> {
    let (title, text) = crowd.dice.pick(words::NOTICES).unwrap_or_default();
    let grids = by.grids.iter().map(|grid| Value::text(grid.as_str())).collect();
    let until = crowd.dice.now_s() + 3 * 86_400;
    let mut save = vec![set("title", title), set("text", text), set("valid_until", until)];
    if !by.whole_town {
        save.push(set("grids", Value::List(grids)));
    }
    crowd.add(by.id, Kind::Notice, save)?;
    Ok(())
}
