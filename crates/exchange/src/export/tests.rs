//! What exports hold, read back by other programs' libraries.

use std::collections::BTreeMap;

use calamine::Reader as _;
use yaoguan_model::{Change, Dot, Kind, Position, Record, RecordId, ReplicaId, Value};

use super::*;

fn id(n: u8) -> RecordId {
    format!("0197a0a0-0000-7000-8000-0000000000{n:02}").parse().unwrap()
}

fn record(n: u8, kind: Kind, fields: &[(&str, Value)]) -> Record {
    let author = "0197a0a0-0000-7000-8000-000000000099".parse().unwrap();
    let mut record = Record::new(id(n), kind, author);
    let change = |value: &Value| Change { replaces: vec![], value: Some(value.clone()) };
    let changes: BTreeMap<_, _> =
        fields.iter().map(|(path, value)| (path.parse().unwrap(), change(value))).collect();
    record.put(&changes, Dot::new(ReplicaId([n; 16]), 1));
    record
}

fn hazard(n: u8, title: &str) -> Record {
    let position = Position { lat_e7: 246_000_001, lon_e7: -992_500_000 };
    let mut position = position.to_value("gps");
    if let Value::Map(map) = &mut position {
        map.insert("accuracy_cm".into(), Value::Int(1_250));
    }
    let photo = format!("photos.{}", "a".repeat(64));
    let fields = [
        ("category", Value::text("slope")),
        ("severity", Value::text("major")),
        ("title", Value::text(title)),
        ("position", position),
        ("seen_at", Value::Int(1_167_719_400)),
        ("status", Value::text("reported")),
        (photo.as_str(), Value::map::<String>([])),
    ];
    record(n, Kind::Hazard, &fields)
}

fn csv_of(kind: &Kind, records: &[Record], lang: Lang) -> String {
    let mut out = Vec::new();
    write_csv(kind, records.iter(), lang, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn geojson_of(kind: &Kind, records: &[Record]) -> String {
    let mut out = Vec::new();
    write_geojson(kind, records.iter(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Column label → cell of the first record.
fn first_row(text: &str) -> BTreeMap<String, String> {
    let text = text.strip_prefix('\u{FEFF}').unwrap();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
}

#[test]
fn csv_shows_labels_local_time_metres_and_degrees() {
    let text = csv_of(&Kind::Hazard, &[hazard(1, "后山")], Lang::Zh);
    assert!(text.starts_with("\u{FEFF}编号,") && text.ends_with("\r\n"));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let row = first_row(&text);
    assert_eq!(row["类别"], "滑坡崩塌");
    assert_eq!(row["发现时间"], "2007-01-02T14:30:00+08:00");
    assert_eq!(row["纬度（WGS-84）"], "24.6000001");
    assert_eq!(row["经度（WGS-84）"], "-99.2500000");
    assert_eq!(row["定位精度（米）"], "12.50");
    assert_eq!(row["照片数"], "1");
    assert_eq!(first_row(&csv_of(&Kind::Hazard, &[hazard(1, "x")], Lang::En))["Category"], "Slope");
}

#[test]
fn formulas_are_neutralised_and_numbers_are_not() {
    for text in ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
        let row = first_row(&csv_of(&Kind::Hazard, &[hazard(1, text)], Lang::En));
        assert_eq!(row["Title"], format!("'{text}"));
        assert!(row["Longitude (WGS-84)"].starts_with("-99"));
    }
    let row = first_row(&csv_of(&Kind::Hazard, &[hazard(1, "a=1")], Lang::En));
    assert_eq!(row["Title"], "a=1");
}

#[test]
fn siblings_show_one_value_and_are_named() {
    let mut left = hazard(1, "left");
    let change = |value: &str| Change { replaces: vec![], value: Some(Value::text(value)) };
    let put = |record: &mut Record, value: &str, replica: u8| {
        let changes = BTreeMap::from([("title".parse().unwrap(), change(value))]);
        record.put(&changes, Dot::new(ReplicaId([replica; 16]), 2));
    };
    put(&mut left, "right", 5);
    let row = first_row(&csv_of(&Kind::Hazard, &[left], Lang::En));
    assert_eq!((row["Title"].as_str(), row["Conflicting fields"].as_str()), ("right", "title"));
}

#[test]
fn deleted_records_are_left_out() {
    let mut gone = hazard(1, "gone");
    let (path, change) = yaoguan_model::deletion::delete(&gone);
    gone.put(&BTreeMap::from([(path, change)]), Dot::new(ReplicaId([1; 16]), 2));
    let records = [gone, hazard(2, "there")];
    assert_eq!(csv_of(&Kind::Hazard, &records, Lang::En).lines().count(), 2);
    assert_eq!(geojson_of(&Kind::Hazard, &records).matches("\"Feature\"").count(), 1);
}

#[test]
fn a_workbook_reads_back() {
    let records = [hazard(1, "=1+1"), hazard(2, "后山")];
    let mut out = Vec::new();
    write_xlsx(&Kind::Hazard, records.iter(), Lang::Zh, &mut out).unwrap();
    let mut book: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(out)).unwrap();
    let range = book.worksheet_range("hazard").unwrap();
    let columns = columns(&Kind::Hazard);
    assert_eq!(range.get_size(), (3, columns.len()));
    let at = |row: u32, key: &str| {
        let column = columns.iter().position(|column| column.key == key).unwrap();
        range.get_value((row, u32::try_from(column).unwrap())).unwrap().clone()
    };
    assert_eq!(at(0, "title"), calamine::Data::String("标题".into()));
    assert_eq!(at(1, "title"), calamine::Data::String("=1+1".into()));
    assert_eq!(at(2, "category"), calamine::Data::String("滑坡崩塌".into()));
    assert_eq!(at(1, "position.lon"), calamine::Data::Float(-99.25));
    assert_eq!(at(1, "photos"), calamine::Data::Float(1.0));
    let formulas = book.worksheet_formula("hazard").unwrap();
    assert!(formulas.used_cells().next().is_none());
}

#[test]
fn geojson_is_equal_whatever_the_order_and_parses() {
    let (a, b) = (hazard(1, "\"quoted\"\n后山"), hazard(2, "b"));
    let bare = record(3, Kind::Hazard, &[("category", Value::text("fire"))]);
    let one = geojson_of(&Kind::Hazard, &[a.clone(), bare.clone(), b.clone()]);
    assert_eq!(one, geojson_of(&Kind::Hazard, &[b, a, bare]));
    let parsed: ::geojson::FeatureCollection =
        one.parse::<::geojson::GeoJson>().unwrap().try_into().unwrap();
    assert_eq!(parsed.features.len(), 3);
    let first = &parsed.features[0];
    let properties = first.properties.as_ref().unwrap();
    assert_eq!(properties["title"], "\"quoted\"\n后山");
    assert_eq!(properties["category"], "slope");
    assert_eq!(properties["photos"], 1);
    assert!(one.contains("\"coordinates\":[-99.2500000,24.6000001]"));
    assert!(one.contains("\"photos\":1,"));
    assert!(parsed.features[2].geometry.is_none());
    assert!(one.contains("\"geometry\":null"));
    let empty = geojson_of(&Kind::Hazard, &[]);
    assert!(
        matches!(empty.parse(), Ok(::geojson::GeoJson::FeatureCollection(c)) if c.features.is_empty())
    );
}

#[test]
fn a_patrol_is_its_decoded_line() {
    // The example of the format's own description: (38.5, -120.2), (40.7, -120.95), (43.252, -126.453).
    let line = Value::List(vec![
        Value::text("_p~iF~ps|U_ulLnnqC_mqNvxq`@"),
        Value::text("_p~iF~ps|U"),
        Value::text("not a line\u{7F}"),
    ]);
    let patrol = record(1, Kind::Patrol, &[("line", line), ("distance_cm", Value::Int(123_456))]);
    let text = geojson_of(&Kind::Patrol, std::slice::from_ref(&patrol));
    assert!(text.contains(
        "{\"type\":\"MultiLineString\",\"coordinates\":[[[-120.2000000,38.5000000],\
         [-120.9500000,40.7000000],[-126.4530000,43.2520000]]]}"
    ));
    assert!(text.contains("\"distance_m\":1234.56"));
    assert!(text.parse::<::geojson::GeoJson>().is_ok());
    assert_eq!(first_row(&csv_of(&Kind::Patrol, &[patrol], Lang::En))["Distance (m)"], "1234.56");
}

#[test]
fn unknown_kinds_are_refused() {
    let kind = Kind::Unknown("x".into());
    let mut out = Vec::new();
    let error = write_csv(&kind, std::iter::empty::<Record>(), Lang::En, &mut out).unwrap_err();
    assert!(matches!(error, crate::ExportError::UnknownKind(name) if name == "x"));
}

#[test]
fn fixed_numbers_are_exact() {
    for (value, decimals, text) in [
        (0, 7, "0.0000000"),
        (-1, 7, "-0.0000001"),
        (1_800_000_000, 7, "180.0000000"),
        (5, 0, "5"),
        (i64::MIN, 2, "-92233720368547758.08"),
    ] {
        assert_eq!(fixed(value, decimals), text);
    }
}
