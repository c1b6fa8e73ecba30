use yaoguan_model::env::System;

use super::*;
use crate::demo;
use crate::storage::sqlite::Sqlite;

fn feature(code: &str, name: &str, lon: f64) -> String {
    let ring = [[lon, 24.6], [lon + 0.01, 24.6], [lon + 0.01, 24.61], [lon, 24.61], [lon, 24.6]];
    format!(
        r#"{{"type":"Feature","properties":{{"code":"{code}","name":"{name}","village":"530521103201","village_name":"姚关社区"}},"geometry":{{"type":"Polygon","coordinates":[{ring:?}]}}}}"#
    )
}

fn collection(features: &[String]) -> Vec<u8> {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(",")).into_bytes()
}

async fn town() -> (tempfile::TempDir, Sqlite, AccountId) {
    let dir = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(&dir.path().join("town.db"), &[1; 32]).unwrap();
    storage.found("t", false, &System).await.unwrap();
    let admin = demo::add_admin(&storage, &System).await.unwrap();
    (dir, storage, admin)
}

#[tokio::test]
async fn a_second_import_changes_what_differs_and_leaves_the_rest() {
    let (_dir, storage, admin) = town().await;
    let two = [feature("530521103201001", "一", 99.20), feature("530521103201002", "二", 99.21)];
    let grids = read(&collection(&two)).unwrap();
    let done = write(&storage, &grids, admin, By::Town, &System).await.unwrap();
    assert_eq!((done.added, done.changed, done.unchanged), (2, 0, 0));
    let done = write(&storage, &grids, admin, By::Town, &System).await.unwrap();
    assert_eq!((done.added, done.changed, done.unchanged), (0, 0, 2));
    let renamed =
        [feature("530521103201002", "二号", 99.21), feature("530521103201003", "三", 99.22)];
    let grids = read(&collection(&renamed)).unwrap();
    let done = write(&storage, &grids, admin, By::Town, &System).await.unwrap();
    assert_eq!((done.added, done.changed, done.unchanged), (1, 1, 0));
    let records = storage.records(Kind::Grid).await.unwrap();
    let boundaries = yaoguan_model::geodesy::Boundaries::of_records(&records).0;
    let found = boundaries.find(Position::from_degrees(24.605, 99.215).unwrap());
    assert_eq!(found.unwrap().as_str(), "530521103201002");
    assert_eq!(storage.grids().await.unwrap().len(), 3);
    assert_eq!(storage.verify().await.unwrap().findings, []);
}

#[test]
fn what_is_not_grids_says_which_feature_and_why() {
    let says = |bytes: &[u8], words: &str| {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    says(b"\xFF\xFE", "UTF-8");
    says(b"{}", "FeatureCollection");
    let good = feature("530521103201001", "一", 99.2);
    says(&collection(&[good.clone(), feature("12", "x", 99.2)]), "feature 2");
    says(&collection(&[good.replace("village_name", "other")]), "village_name");
    let point = r#"{"type":"Feature","properties":{"code":"530521103201001","name":"a","village":"b","village_name":"c"},"geometry":{"type":"Point","coordinates":[99.2,24.6]}}"#;
    says(&collection(&[point.to_owned()]), "polygon");
    says(&collection(&[feature("530521103201001", "远", 399.2)]), "degrees");
}
