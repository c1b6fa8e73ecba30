//! What a chief does: reports a hazard, describes it further, deletes one that was not. Which and when comes
//! from the seed.

use std::collections::BTreeMap;

use yaoguan_model::env::System;
use yaoguan_model::{
    Change, Env as _, FieldPath, GridCode, Kind, Record, RecordId, Value, deletion,
};
use yaoguan_sync::{Local, PhoneStore as _, Tx as _};
use yaoguan_testkit::dice::Dice;

use crate::phone::{Acknowledgeable, Phone};

const CATEGORIES: [&str; 5] = ["slope", "fire", "road", "electrical", "flood"];
/// Of a hundred things done: reports, then edits, then deletions.
const REPORTS: u64 = 60;
const EDITS: u64 = 37;
/// Things that a chief does in a day.
pub const A_DAY: u64 = 6;

/// Milliseconds of a clock that only goes on.
pub fn now_ms() -> i64 {
    System.boot_elapsed_ms()
}

/// The dice of one phone.
pub fn dice_of(seed: u64, phone: u32) -> Dice {
    Dice::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (u64::from(phone) << 32))
}

/// Does one thing and notes what the town will have to have once it says so.
pub fn act(phone: &mut Phone, dice: &mut Dice) {
    let own = phone.living();
    let luck = dice.below(100);
    let chosen = |dice: &mut Dice| {
        let at = usize::try_from(dice.below(own.len() as u64)).unwrap_or(0);
        own.get(at).copied()
    };
    match (own.is_empty(), luck) {
        (true, _) | (false, ..REPORTS) => report(phone, dice),
        (false, luck) => {
            let Some(id) = chosen(dice) else { return };
            if luck < REPORTS + EDITS { describe(phone, id) } else { delete(phone, id) }
        }
    }
}

fn report(phone: &mut Phone, dice: &mut Dice) {
    let mark = phone.next_mark();
    let id = System.new_record_id();
    let grid = phone.grid().map(GridCode::to_string).unwrap_or_default();
    let category = usize::try_from(dice.below(CATEGORIES.len() as u64)).unwrap_or(0);
    let at = 24_556_000 + i64::try_from(dice.below(80_000)).unwrap_or(0);
    let position = Value::map([
        ("lat", Value::Int(at * 10)),
        ("lon", Value::Int((at + 74_600_000) * 10)),
        ("source", Value::text("gps")),
    ]);
    let fields = [
        ("category", Value::text(CATEGORIES.get(category).copied().unwrap_or("other"))),
        ("severity", Value::text("general")),
        ("title", Value::text(&mark)),
        ("description", Value::text("雨后路边边坡有裂缝，约三米长，下方是村道。")),
        ("address", Value::text("村道边")),
        ("position", position),
        ("grid", Value::text(grid)),
        ("seen_at", Value::Int(System.now_s())),
        ("recorded_at", Value::map([("at", Value::Int(System.now_s()))])),
        ("status", Value::text("reported")),
    ];
    let author = phone.account();
    let changes = changes(None, fields.map(|(path, value)| (path, Some(value))));
    phone.write(id, |dot, _| {
        Some(Local::created(Record::new(id, Kind::Hazard, author), &changes, dot))
    });
    phone.note(id, Acknowledgeable { title: mark, description: None, deleted: false });
}

fn describe(phone: &mut Phone, id: RecordId) {
    let words = phone.next_mark();
    phone.write(id, |dot, local| {
        let mut local = local?;
        let value = Some(Value::text(&words));
        let changes = changes(Some(&local.record), [("description", value)]);
        local.save(&changes, dot);
        Some(local)
    });
    phone.alter(id, |known| known.description = Some(words.clone()));
}

fn delete(phone: &mut Phone, id: RecordId) {
    phone.write(id, |dot, local| {
        let mut local = local?;
        local.save(&BTreeMap::from([deletion::delete(&local.record)]), dot);
        Some(local)
    });
    phone.alter(id, |known| known.deleted = true);
}

/// Changes against what is in view.
fn changes<const N: usize>(
    in_view: Option<&Record>,
    fields: [(&str, Option<Value>); N],
) -> BTreeMap<FieldPath, Change> {
    let change = |(path, value): (&str, Option<Value>)| {
        let replaces = in_view.map(|record| record.dots(path)).unwrap_or_default();
        (path.parse().expect("a path"), Change { replaces, value })
    };
    fields.into_iter().map(change).collect()
}

impl Phone {
    /// One transaction, one dot.
    fn write(
        &mut self,
        id: RecordId,
        with: impl FnOnce(yaoguan_model::Dot, Option<Local>) -> Option<Local>,
    ) {
        let done = self.store.transact(|tx| {
            let mut state = tx.state()?;
            let dot = state.next_dot();
            if let Some(local) = with(dot, tx.load(id)?) {
                tx.set_state(&state)?;
                tx.put(&local)?;
            }
            Ok::<_, std::convert::Infallible>(())
        });
        match done {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
}
