//! Recorded GPX tracks as patrols.

use serde_json::Value;

use crate::GRID;
use crate::phone::Phone;
use crate::real::shared;
use crate::town::Town;

/// Name, length in metres by gpxpy's `length_2d`, fixes, fixes without a time, fixes of 1901.
const TRACKS: [(&str, f64, u64, u64, u64); 5] = [
    ("korita-zbevnica", 14_913.7, 871, 358, 0),
    ("cerknicko-jezero", 4_580.1, 296, 0, 0),
    ("around-visnjan-with-car", 2_736.3, 104, 0, 0),
    ("Mojstrovka", 2_700.6, 184, 0, 184),
    ("track-with-empty-segment", 85.9, 9, 0, 0),
];

fn file(name: &str) -> Option<String> {
    Some(shared(&format!("gpx/{name}.gpx"))?.to_str().unwrap().to_owned())
}

fn import(phone: &Phone, file: &str) -> Value {
    phone.ok(&["import", "track", file])
}

#[test]
fn five_recorded_tracks_have_their_lengths_on_both_phones() {
    if file("Mojstrovka").is_none() {
        return;
    }
    let town = Town::serving();
    let (a, b) = (town.phone("a", "chief", GRID), town.phone("b", "chief", GRID));
    for (name, metres, points, untimed, implausible) in TRACKS {
        let file = file(name).unwrap();
        let track = import(&a, &file);
        let length = track["distance_m"].as_f64().unwrap();
        assert!((length - metres).abs() <= metres * 0.005, "{name}: {length} m");
        assert_eq!((&track["points"], &track["already"]), (&points.into(), &false.into()));
        let said = (track["untimed"].as_u64(), track["implausible_times"].as_u64());
        assert_eq!(said, (Some(untimed), Some(implausible)), "{name}");

        let again = a.say("en", &["import", "track", &file]);
        assert!(again.out.contains("imported before"), "{again}");
        if untimed + implausible > 0 {
            let count = format!("{untimed} fixes have no time and {implausible} an impossible one");
            assert!(again.out.contains(&count), "{again}");
        }
        let second = import(&a, &file);
        assert_eq!((&second["already"], &second["id"]), (&true.into(), &track["id"]));
    }
    assert_eq!(a.status()["records"]["patrol"], 5);
    assert_eq!(a.sync()["sent"], 5);
    assert_eq!(b.sync()["received"], 5);
    assert!(a.export("patrols", "geojson") == b.export("patrols", "geojson"));
    for phone in [&a, &b] {
        phone.assert_sound();
    }
    town.assert_sound();
}

#[test]
fn waypoints_alone_are_refused_and_change_nothing() {
    let Some(file) = file("unicode") else { return };
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    let before = phone.all();
    assert_eq!(phone.refused(&["import", "track", &file]), "no_fixes");
    let said = phone.say("zh", &["import", "track", &file]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("没有轨迹"), "{}", said.err);
    assert_eq!(phone.all(), before);
    assert_eq!(phone.sync()["sent"], 0);
}
