//! Phones and a town in one process, on real files, sockets and TLS: what a round trip costs, and what a
//! bad line, a wrong clock or a copied phone cannot do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where it stands"
)]

mod away;
mod clock;
mod concurrent;
mod entitled;
mod epoch;
mod flips;
mod full;
mod given_up;
mod lossy;
mod map;
mod people;
mod photos;
mod price;
mod purge;
mod refused;
mod restored;
mod scope;
mod trace;
mod tracks;
mod twin;
mod verify;
mod versions;

use std::collections::BTreeSet;

use yaoguan_field::{Edit, Filter, Page, Phone, values};
use yaoguan_model::{Kind, RecordId};
use yaoguan_testkit::town::TestPhone;

/// Everything of a list.
pub(crate) const ALL: Page = Page { limit: u32::MAX, offset: 0 };

/// Fields as typed.
pub(crate) fn edit(kind: &Kind, fields: &[(&str, &str)]) -> Edit {
    fields.iter().map(|(field, text)| values::typed(kind, field, text).unwrap()).collect()
}

/// Reports a hazard with some fifteen fields.
pub(crate) fn report(phone: &mut Phone, n: usize) -> RecordId {
    let title = format!("{n} 号路段边坡开裂");
    let position = format!("24.56{:03},99.13{:03}", n % 1000, (n * 7) % 1000);
    let fields = [
        ("category", "slope"),
        ("severity", "serious"),
        ("title", &title),
        ("description", "雨后裂缝变宽，路面有落石，已放置警示牌。"),
        ("address", "姚关社区第1网格 村口向南"),
        ("position", &position),
        ("grid", yaoguan_testkit::town::GRID),
    ];
    let form = phone.new_form(Kind::Hazard).unwrap();
    phone.save(&form, edit(&Kind::Hazard, &fields)).unwrap().ids[0]
}

/// Changes one field of a record.
pub(crate) fn change(phone: &mut Phone, id: RecordId, field: &str, text: &str) {
    let form = phone.open_form(id).unwrap();
    let kind = form.record().kind.clone();
    phone.save(&form, edit(&kind, &[(field, text)])).unwrap();
}

/// Ids of the hazards on a phone.
pub(crate) fn hazards(phone: &Phone) -> BTreeSet<RecordId> {
    let list = phone.list(&Kind::Hazard, &Filter::default(), ALL).unwrap();
    let ids: BTreeSet<_> = list.iter().map(|shown| shown.id).collect();
    assert_eq!(ids.len(), list.len());
    ids
}

/// A phone whose store holds everything it must.
pub(crate) fn assert_sound(phone: &TestPhone) {
    assert_eq!(phone.phone.verify().unwrap(), []);
    assert_eq!(phone.phone.status().unwrap().alarms, 0);
}

/// A record on two phones is the same, byte for byte.
pub(crate) fn assert_same(a: &Phone, b: &Phone, id: RecordId) {
    let bytes = |phone: &Phone| {
        yaoguan_model::canonical::encode(&phone.store().get(id).unwrap().unwrap().record)
    };
    assert_eq!(bytes(a), bytes(b));
}
