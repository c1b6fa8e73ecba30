//! `yaoguan-load` itself, with a few phones: `make load` plays the whole town.

use crate::program::{Ran, command};

#[test]
fn forty_phones_come_back_at_once_and_the_town_has_everything_once() {
    let home = tempfile::tempdir().unwrap();
    let mut load = command("yaoguan-load", home.path());
    load.args(["--phones", "40", "--rush-s", "2", "--speed", "8640"]);
    let played = Ran::of(load).done();
    for field in ["lost", "doubled", "stuck"] {
        assert_eq!(played[field], 0, "{played}");
    }
    // Three days of six things each, and the day's.
    assert_eq!(played["acknowledged"], 40 * (3 * 6 + 6), "{played}");
    let parts = played["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2, "{played}");
    assert!(parts.iter().all(|part| part["syncs"].as_u64() >= Some(40)), "{played}");
}
