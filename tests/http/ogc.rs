//! Features for maps: the standard's pages, boxes, times and links, as a GIS asks with a token.

use std::collections::BTreeSet;

use serde_json::Value;
use yaoguan_model::geodesy::line::encode;
use yaoguan_model::{Kind, Position, RecordId, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::storage::Storage as _;

use crate::population::write;
use crate::{Answer, Ask, device};

struct Gis<'a> {
    town: &'a TestTown,
    token: String,
}

impl<'a> Gis<'a> {
    async fn of(town: &'a TestTown) -> Self {
        let device = device(town).await;
        let made = Ask::new(town, "POST", "/v1/token").proof(&device, |_| {}).send().await;
        Self { town, token: made.json["token"].as_str().unwrap().to_owned() }
    }

    async fn get(&self, path: &str) -> Answer {
        Ask::new(self.town, "GET", path).bearer(&self.token).send().await
    }

    /// Ids of a page and what it says of all.
    async fn ids(&self, path: &str) -> (Vec<String>, u64) {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.json);
        let features = answer.json["features"].as_array().unwrap();
        assert_eq!(answer.json["numberReturned"], features.len());
        let ids = features.iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect();
        (ids, answer.json["numberMatched"].as_u64().unwrap())
    }
}

fn href(answer: &Value, rel: &str) -> Option<String> {
    let links = answer["links"].as_array().unwrap();
    let link = links.iter().find(|link| link["rel"] == rel)?;
    Some(link["href"].as_str().unwrap().to_owned())
}

async fn hazards(town: &TestTown, grid: &str, places: &[(f64, f64)]) -> Vec<RecordId> {
    let author = town.account(Role::Chief, &[grid]).await.unwrap();
    let mut writes = Vec::new();
    for (n, (lat, lon)) in places.iter().enumerate() {
        let mut fields = vec![
            ("category", "slope".into()),
            ("severity", "major".into()),
            ("grid", grid.into()),
            ("seen_at", (1_767_225_600 + 3600 * i64::try_from(n).unwrap()).into()),
            ("status", "reported".into()),
        ];
        if let Some(at) = Position::from_degrees(*lat, *lon) {
            fields.push(("position", at.to_value("gps")));
        }
        writes.push(write(town, Kind::Hazard, author, &fields));
    }
    let ids = writes.iter().map(|new| new.id).collect();
    town.town.storage.write_own(writes, town.done()).await.unwrap();
    ids
}

#[tokio::test]
async fn pages_follow_each_other_and_no_feature_is_missed_or_repeated() {
    let town = TestTown::start().await.unwrap();
    let gis = Gis::of(&town).await;
    let mut expected: BTreeSet<String> = BTreeSet::new();
    let places: Vec<(f64, f64)> = (0..23).map(|n| (24.6, 99.2 + f64::from(n) / 1000.0)).collect();
    expected.extend(hazards(&town, GRID, &places).await.iter().map(ToString::to_string));
    hazards(&town, OTHER_GRID, &[(24.6, 99.2)]).await;
    let mut path = "/ogc/collections/hazards/items?limit=10".to_owned();
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let answer = gis.get(&path).await;
        assert_eq!(answer.headers["content-type"], "application/geo+json");
        assert_eq!(answer.json["numberMatched"], 23);
        for feature in answer.json["features"].as_array().unwrap() {
            found.push(feature["id"].as_str().unwrap().to_owned());
        }
        pages += 1;
        let Some(next) = href(&answer.json, "next") else { break };
        path = next.strip_prefix(&town.url).unwrap().to_owned();
        // One that comes in meanwhile moves nothing.
        if pages == 1 {
            hazards(&town, OTHER_GRID, &[(24.6, 99.2)]).await;
        }
    }
    assert_eq!((pages, found.len()), (3, 23));
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    let (ids, matched) = gis.ids("/ogc/collections/hazards/items?limit=10&offset=20").await;
    assert_eq!((ids.len(), matched), (3, 23));
    let one = gis.get(&format!("/ogc/collections/hazards/items/{}", ids[0])).await;
    assert_eq!((one.status, one.json["type"].as_str()), (200, Some("Feature")));
    assert_eq!(one.json["properties"]["category"], "slope");
    assert!(href(&one.json, "collection").unwrap().ends_with("/ogc/collections/hazards"));
    for path in ["nothing/items", "hazards/items/none", "patrol_lines/items/", "nothing"] {
        let answer = gis.get(&format!("/ogc/collections/{path}")).await;
        assert_eq!(answer.code(), (404, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn boxes_and_times_choose_features() {
    let town = TestTown::start().await.unwrap();
    let gis = Gis::of(&town).await;
    // The last two lie on either side of the 180th meridian, one has no place.
    let places = [(24.60, 99.20), (24.70, 99.30), (0.0, 0.0), (10.0, 179.9), (10.0, -179.9)];
    let ids = hazards(&town, GRID, &places).await;
    let items = "/ogc/collections/hazards/items";
    let chosen = async |query: &str| {
        let (found, matched) = gis.ids(&format!("{items}?{query}")).await;
        assert_eq!(found.len() as u64, matched);
        let at = |id: &String| ids.iter().position(|own| own.to_string() == *id).unwrap();
        let mut found: Vec<usize> = found.iter().map(at).collect();
        found.sort();
        found
    };
    assert_eq!(chosen("").await, [0, 1, 2, 3, 4]);
    assert_eq!(chosen("bbox=99.1,24.5,99.25,24.65").await, [0]);
    assert_eq!(chosen("bbox=99.2,24.6,99.2,24.6").await, [0], "an edge belongs to the box");
    assert_eq!(chosen("bbox=99.1,24.5,0,99.4,24.8,100").await, [0, 1]);
    assert_eq!(chosen("bbox=179,0,-179,20").await, [3, 4]);
    assert_eq!(chosen("bbox=-180,-90,180,90").await, [0, 1, 3, 4]);
    assert_eq!(chosen("datetime=2026-01-01T00:00:00Z").await, [0]);
    assert_eq!(chosen("datetime=2026-01-01T01:00:00Z/2026-01-01T02:30:00Z").await, [1, 2]);
    assert_eq!(chosen("datetime=../2026-01-01T00:30:00Z").await, [0]);
    assert_eq!(chosen("datetime=2026-01-01T03:00:00Z/&bbox=170,0,180,20").await, [3]);
    for bad in ["bbox=1,2,3", "datetime=yesterday", "limit=0", "limit=x", "after=x", "crs=x"] {
        let answer = gis.get(&format!("{items}?{bad}")).await;
        assert_eq!(answer.code(), (400, "bad_request"), "{bad}");
    }
    let collection = gis.get("/ogc/collections/hazards").await.json;
    let edges = serde_json::json!([-179.9, 10.0, 179.9, 24.7]);
    assert_eq!(collection["extent"]["spatial"]["bbox"][0], edges);
    assert_eq!(collection["extent"]["temporal"]["interval"][0][0], "2026-01-01T00:00:00Z");
    // A deleted one is on no map.
    town.town.storage.with_raw(|c| {
        let n: i64 = c.query_row("SELECT count(*) FROM feature", [], |row| row.get(0)).unwrap();
        assert_eq!(n, 5);
    });
}

#[tokio::test]
async fn patrols_are_lines_for_chiefs_and_nothing_is_told_without_a_token() {
    let town = TestTown::start().await.unwrap();
    let gis = Gis::of(&town).await;
    let author = town.account(Role::Chief, &[GRID]).await.unwrap();
    let at = |lat, lon| Position::from_degrees(lat, lon).unwrap();
    let line = encode(&[at(24.6, 99.2), at(24.61, 99.21)], 5).unwrap();
    let fields = [
        ("team", "chief".into()),
        ("grid", GRID.into()),
        ("started_at", 1_767_225_600.into()),
        ("ended_at", 1_767_229_200.into()),
        ("line", yaoguan_model::Value::List(vec![line.into()])),
    ];
    let new = write(&town, Kind::Patrol, author, &fields);
    town.town.storage.write_own(vec![new], town.done()).await.unwrap();
    let items = "/ogc/collections/patrol_lines/items";
    let all = gis.get(items).await.json;
    assert_eq!(all["features"][0]["geometry"]["type"], "MultiLineString");
    assert_eq!(gis.ids(&format!("{items}?bbox=99.205,24.605,99.3,24.7")).await.1, 1);
    assert_eq!(gis.ids(&format!("{items}?bbox=99.3,24.7,99.4,24.8")).await.1, 0);
    assert_eq!(gis.ids(&format!("{items}?datetime=2026-01-01T00:30:00Z")).await.1, 1);
    let bare = Ask::new(&town, "GET", items).send().await;
    assert_eq!(bare.code(), (401, "unauthorised"));
    let landing = Ask::new(&town, "GET", "/ogc").send().await.json;
    for rel in ["self", "service-desc", "conformance", "data"] {
        assert!(href(&landing, rel).unwrap().starts_with(&town.url), "{rel}");
    }
    let api = Ask::new(&town, "GET", "/ogc/api").send().await.json;
    let paths: Vec<&String> = api["paths"].as_object().unwrap().keys().collect();
    assert!(paths.len() == 7 && paths.iter().all(|path| path.starts_with("/ogc")), "{paths:?}");
}
