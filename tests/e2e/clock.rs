//! A wrong clock is told to the person.

use yaoguan_store::{Key, Store};
use yaoguan_sync::PhoneStore as _;
use yaoguan_sync::Tx as _;

use crate::GRID;
use crate::phone::Phone;
use crate::town::Town;

/// As if the town's time had been learnt with the phone's clock off by so much.
fn set_offset(phone: &Phone, town_minus_phone_s: i64) {
    let key: [u8; 32] = std::fs::read(phone.data.join("phone.key")).unwrap().try_into().unwrap();
    let mut store = Store::open(&phone.data.join("phone.db"), &Key(key)).unwrap();
    store
        .transact(|tx| -> Result<(), yaoguan_store::StoreError> {
            let mut state = tx.state()?;
            state.clock_offset_s = town_minus_phone_s;
            tx.set_state(&state)
        })
        .unwrap();
}

#[test]
fn status_and_sync_tell_how_far_the_clock_is_off() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    assert_eq!(phone.status()["clock_off_s"].as_i64().unwrap().abs() / 60, 0);
    assert!(!phone.say("en", &["status"]).out.contains("clock"));
    // 2 days, 3 hours, 4 minutes fast.
    set_offset(&phone, -(2 * 86_400 + 3 * 3_600 + 4 * 60 + 5));
    assert_eq!(phone.status()["clock_off_s"], 2 * 86_400 + 3 * 3_600 + 4 * 60 + 5);
    let said = phone.say("en", &["status"]);
    assert!(said.out.contains("fast by 2 d 3 h 4 min"), "{said}");
    set_offset(&phone, 86_400);
    let said = phone.say("zh", &["status"]);
    assert!(said.out.contains("慢了 1 天"), "{said}");
    // The next sync learns better: the clock was right all the time.
    assert!(phone.sync()["clock_off_s"].as_i64().unwrap().abs() < 60);
    assert!(!phone.say("en", &["status"]).out.contains("clock"));
}
