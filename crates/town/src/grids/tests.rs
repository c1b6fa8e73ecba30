use yaoguan_model::Position;
use yaoguan_model::env::System;

use super::*;
use crate::demo;
use crate::storage::sqlite::Sqlite;

fn square(lon: f64) -> [[f64; 2]; 5] {
    [[lon, 24.6], [lon + 0.01, 24.6], [lon + 0.01, 24.61], [lon, 24.61], [lon, 24.6]]
}

fn feature(code: &str, name: &str, ring: &[[f64; 2]]) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"code":"{code}","name":"{name}"}},"geometry":{{"type":"Polygon","coordinates":[{ring:?}]}}}}"#
    )
}

fn collection(features: &[String]) -> String {
    format!("{{\"type\":\"FeatureCollection\",\"features\":[\n{}]}}", features.join(",\n"))
}

fn sound(features: &[String]) -> Vec<NewGrid> {
    let found = read(&collection(features), &Mapping::default());
    assert_eq!(found.troubles, []);
    found.grids
}

#[tokio::test]
async fn a_second_import_changes_what_differs_and_leaves_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(&dir.path().join("town.db"), &[1; 32]).unwrap();
    storage.found("t", false, &System).await.unwrap();
    let admin = demo::add_admin(&storage, &System).await.unwrap();
    let import = async |features: &[String]| {
        let mut done = plan(&storage, sound(features), admin, &System).await.unwrap();
        done.write(&storage, Attribution::town(1)).await.unwrap();
        (done.added.len(), done.changed.len(), done.unchanged, done.missing.len())
    };
    let two = [
        feature("530521103201001", "一", &square(99.20)),
        feature("530521103201002", "二", &square(99.21)),
    ];
    assert_eq!(import(&two).await, (2, 0, 0, 0));
    assert_eq!(import(&two).await, (0, 0, 2, 0));
    let renamed = [
        feature("530521103201002", "二号", &square(99.21)),
        feature("530521103201003", "三", &square(99.22)),
    ];
    assert_eq!(import(&renamed).await, (1, 1, 0, 1));
    let records = storage.records(Kind::Grid).await.unwrap();
    let boundaries = yaoguan_model::geodesy::Boundaries::of_records(&records).0;
    let found = boundaries.find(Position::from_degrees(24.605, 99.215).unwrap());
    assert_eq!(found.unwrap().as_str(), "530521103201002");
    assert_eq!(storage.grids().await.unwrap().len(), 3);
    assert_eq!(storage.verify().await.unwrap().findings, []);
}

#[test]
fn what_is_wrong_is_told_by_feature_and_line() {
    let good = feature("530521103201001", "一", &square(99.2));
    let bow = [[99.2, 24.6], [99.21, 24.61], [99.21, 24.6], [99.2, 24.61], [99.2, 24.6]];
    let open = [[99.2, 24.6], [99.21, 24.6], [99.21, 24.61], [99.2, 24.61]];
    let bad = [
        (feature("12", "x", &square(99.2)), "code"),
        (good.replace("\"name\"", "\"other\""), "missing"),
        (feature("530521103201001", &"名".repeat(61), &square(99.2)), "too_long"),
        (good.replace("Polygon", "LineString"), "feature"),
        (
            r#"{"type":"Feature","properties":{"code":"530521103201001","name":"a"},"geometry":{"type":"Point","coordinates":[99.2,24.6]}}"#
                .to_owned(),
            "not_polygon",
        ),
        (feature("530521103201001", "远", &square(103.0)), "outside"),
        (feature("530521103201001", "北", &square(399.2)), "outside"),
        (feature("530521103201001", "交叉", &bow), "crossing"),
        (feature("530521103201001", "开", &open), "open_ring"),
        (feature("530521103201001", "线", &bow[..3]), "corners"),
        (feature("530521103299001", "外村", &square(99.2)), "village"),
        (good.replace("\"name\"", "\"village\":\"530521103202\",\"name\""), "village"),
        (good.clone(), "code_twice"),
    ];
    for (feature, code) in bad {
        let file = collection(&[good.clone(), feature]);
        let found = read(&file, &Mapping::default());
        let [trouble] = found.troubles.as_slice() else { panic!("{code}: {:?}", found.troubles) };
        assert_eq!((trouble.code, trouble.feature, trouble.line), (code, 2, 3), "{trouble:?}");
    }
}

#[test]
fn a_file_that_is_none_says_why() {
    let says = |text: &str| read(text, &Mapping::default()).troubles.first().unwrap().code;
    assert_eq!(says("{"), "not_geojson");
    assert_eq!(says(r#"{"type":"Feature","features":[]}"#), "not_geojson");
    assert_eq!(says(&collection(&[])), "none");
    assert_eq!(says(&" ".repeat(MAX_FILE_BYTES + 1)), "too_large");
    let one = feature("530521103201001", "一", &square(99.2));
    assert_eq!(says(&collection(&vec![one; MAX_GRIDS + 1])), "too_many");
    let round: Vec<[f64; 2]> = (0..=MAX_CORNERS).map(|_| [99.2, 24.6]).collect();
    assert_eq!(says(&collection(&[feature("530521103201001", "圆", &round)])), "too_many_corners");
}

#[test]
fn names_with_brackets_and_quotes_do_not_move_the_lines() {
    let odd = feature("530521103201001", r#"一]}\"{["#, &square(99.2));
    let bad = feature("x", "二", &square(99.21));
    let file =
        collection(&[odd, bad]).replacen("\"features\"", "\"crs\":{\"a\":[{}]},\"features\"", 1);
    let found = read(&file, &Mapping::default());
    assert_eq!(found.grids.first().unwrap().name, r#"一]}"{["#);
    assert_eq!(found.troubles.first().map(|t| (t.feature, t.line)), Some((2, 3)));
}
