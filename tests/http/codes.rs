//! The error codes of each route: those of the table that router and description are made from are those that
//! the route gives.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yaoguan_model::BlobHash;
use yaoguan_testkit::town::TestTown;
use yaoguan_town::api::error::status_of;
use yaoguan_town::api::routes::{ROUTES, Route};

use crate::matrix::{World, world};
use crate::{Ask, Device, blobs, empty_request};

/// Encoding and body.
type Body = (&'static str, Vec<u8>);

impl World {
    fn device(&self, name: &str) -> &Device {
        let asker = self.askers.iter().find(|asker| asker.name == name).unwrap();
        asker.device.as_ref().unwrap()
    }
}

fn enrolment(device: &Device, code: &str) -> Value {
    let key = device.key.public_pem().unwrap();
    json!({ "protocol": 1, "code": code, "public_key": key, "device_name": "x" })
}

async fn code_for(town: &TestTown, device: &Device) -> String {
    let invite = town.invite(device.account, town.address).await.unwrap();
    invite.parse::<yaoguan_wire::Invite>().unwrap().code
}

fn future() -> Value {
    let mut future = empty_request();
    future["protocol"] = json!(99);
    future["replica"] = json!("EREREREREREREREREREREQ");
    future
}

/// Bodies of which each brings some route to say something else.
async fn bodies(world: &World) -> Vec<Body> {
    let (town, own, other) = (&world.town, world.device("chief"), world.device("supervisor"));
    // The town has taken a push under this replica id from somebody else.
    let mut forked = empty_request();
    forked["push"]["next"] = json!("AAAAAAAAAAAAAAAAAAAAAQ");
    let forked = forked.to_string();
    let ask = Ask::new(town, "POST", "/v1/sync").body(forked.as_bytes());
    assert_eq!(ask.proof(other, |_| {}).send().await.status, 200);
    let used = enrolment(own, &code_for(town, own).await).to_string();
    let ask = Ask::new(town, "POST", "/v1/enrol").body(used.as_bytes());
    assert_eq!(ask.send().await.status, 200);
    let mut others = enrolment(own, &code_for(town, other).await);
    others["account"] = json!(own.account);
    let password =
        |text: &str| json!({ "login": "none", "code": "none", "password": text }).to_string();
    let texts = [
        password("correct horse battery"),
        password("x"),
        others.to_string(),
        "{".to_owned(),
        " ".repeat(2 << 20),
        forked,
        future().to_string(),
        enrolment(own, "unknown").to_string(),
        used,
    ];
    let mut bodies: Vec<Body> = texts.into_iter().map(|text| ("", text.into_bytes())).collect();
    bodies.push(("gzip", b"{}".to_vec()));
    bodies
}

/// What a route answers to all of this.
async fn given(world: &World, route: &Route, bodies: &[Body]) -> BTreeSet<String> {
    let (town, own) = (&world.town, world.device("chief"));
    let path = route.path.replace("{kind}", "hazard").replace("{hash}", "none");
    let path = path.replace("{id}", "none");
    let mut answers = vec![Ask::new(town, "PUT", &path).send().await];
    if route.path.contains("{kind}") {
        for path in ["/v1/records/nothing", "/v1/records/hazard?after=x"] {
            answers.push(Ask::new(town, "GET", path).proof(own, |_| {}).send().await);
        }
    }
    for asker in &world.askers {
        // Files vouch for themselves: the proof covers no body.
        let no_body = route.method == "GET" || route.path.starts_with("/v1/blobs");
        let body = if no_body { String::new() } else { future().to_string() };
        answers.push(asker.ask(town, route.method, &path, body.as_bytes()).await);
    }
    for iat in [0, i64::MIN, i64::MAX] {
        let ask = Ask::new(town, route.method, &path);
        answers.push(ask.proof(own, |claims| claims.iat = iat).send().await);
    }
    for (encoding, body) in bodies.iter().filter(|_| matches!(route.method, "POST" | "PATCH")) {
        let ask = Ask::new(town, route.method, &path).body(body).encoding(encoding);
        answers.push(ask.proof(own, |_| {}).send().await);
    }
    if route.path.starts_with("/v1/blobs") {
        answers.extend(of_files(town, own, route).await);
    }
    let coded = |answer: &crate::Answer| {
        let (status, code) = answer.code();
        (!code.is_empty()).then(|| format!("{status} {code}"))
    };
    answers.iter().filter_map(coded).collect()
}

/// What the routes of files say beside that.
async fn of_files(town: &TestTown, own: &Device, route: &Route) -> Vec<crate::Answer> {
    let bytes = blobs::photo(1);
    let hash = BlobHash::of(&bytes);
    let none = "/v1/blobs/uploads/none";
    let tus = |method, path| {
        Ask::new(town, method, path).proof(own, |_| {}).header("tus-resumable", "1.0.0")
    };
    match (route.method, route.path) {
        ("POST", _) => vec![
            tus("POST", "/v1/blobs").send().await,
            blobs::create(town, own, &hash.to_string(), 1 << 30).await,
        ],
        ("PATCH", _) => {
            let upload = blobs::begin(town, own, hash, 100).await;
            let sum = tus("PATCH", &upload).header("upload-offset", "0");
            vec![
                tus("PATCH", none).send().await,
                tus("PATCH", &upload).send().await,
                blobs::patch(town, own, &upload, 7, &[0; 10]).await,
                sum.header("upload-checksum", "sha256 AAAA").body(b"x").send().await,
                blobs::patch(town, own, &upload, 0, &[0; 100]).await,
                blobs::patch(town, own, &blobs::begin(town, own, hash, 10).await, 0, &[0; 100])
                    .await,
            ]
        }
        ("DELETE", _) => vec![tus("DELETE", none).send().await],
        ("GET", _) => {
            assert_eq!(blobs::upload(town, own, &bytes).await.status, 204);
            let path = format!("/v1/blobs/{hash}");
            let ask = Ask::new(town, "GET", &path).proof(own, |_| {});
            vec![ask.header("range", "bytes=999999999-").send().await]
        }
        _ => Vec::new(),
    }
}

/// What the table says, without what takes a fault, a full disk, a crowd or a minute's wait.
fn documented(route: &Route) -> BTreeSet<String> {
    let elsewhere = ["internal", "timeout", "storage_full", "busy", "rate_limited"];
    let is_elsewhere = |code: &str| {
        // A body that is not looked at is bad only when it does not arrive.
        elsewhere.contains(&code) || (route.path == "/v1/token" && code == "bad_request")
    };
    let codes = route.all_codes();
    let codes = codes.iter().filter(|code| !is_elsewhere(code.as_str()));
    codes.map(|code| format!("{} {code}", status_of(code).as_u16())).collect()
}

#[tokio::test]
async fn each_route_answers_with_the_codes_of_its_description_and_no_other() {
    let world = world().await;
    let bodies = bodies(&world).await;
    let mut count = 0;
    // An answer to HEAD has no body, and so no code.
    for route in ROUTES.iter().filter(|route| route.method != "HEAD") {
        let given = given(&world, route, &bodies).await;
        assert_eq!(given, documented(route), "{} {}", route.method, route.path);
        count += given.len();
    }
    println!("codes: {count} of {} routes brought about", ROUTES.len());
}
