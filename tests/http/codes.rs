//! The error codes of each route: those of the table that router and description are made from are those that
//! the route gives.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yaoguan_model::{BlobHash, Env as _};
use yaoguan_testkit::clock::Clock;
use yaoguan_testkit::map::pmtiles;
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::api::error::status_of;
use yaoguan_town::api::routes::{Caller, ROUTES, Route};
use yaoguan_town::storage::People as _;

use crate::matrix::{World, world};
use crate::population::{Marked, Sort};
use crate::{Ask, Device, admin, blobs, console, cookie_of, empty_request, tiles};

/// Encoding and body.
type Body = (&'static str, Vec<u8>);

impl World {
    /// An asker's request with a session or a proof, as the route wants it.
    pub(crate) async fn asking<'a>(&'a self, route: &'a Route, path: &'a str) -> Asking<'a> {
        let cookie = match route.path.starts_with("/console/v1/") {
            true => Some(cookie_of(&self.town, self.device(who(route)).account).await),
            false => None,
        };
        Asking { world: self, method: route.method, path, cookie }
    }

    /// A hazard of the supervisor's grid that somebody else wrote.
    fn own_hazard(&self) -> String {
        let supervisor = self.device("supervisor").account;
        let own = |m: &&Marked| m.sort == Sort::Hazard && m.own_cell && m.author != supervisor;
        self.all.iter().find(own).unwrap().id.to_string()
    }

    pub(crate) fn device(&self, name: &str) -> &Device {
        let asker = self.askers.iter().find(|asker| asker.name == name).unwrap();
        asker.device.as_ref().unwrap()
    }
}

/// Whose session the route is for.
fn who(route: &Route) -> &'static str {
    if route.caller == Caller::Admin { "admin" } else { "supervisor" }
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

/// See [`World::asking`].
pub(crate) struct Asking<'a> {
    world: &'a World,
    method: &'a str,
    path: &'a str,
    cookie: Option<String>,
}

impl Asking<'_> {
    pub(crate) async fn send(self, encoding: &str, body: &[u8]) -> crate::Answer {
        let ask = Ask::new(&self.world.town, self.method, self.path).body(body).encoding(encoding);
        match self.cookie {
            Some(cookie) => ask.session(&cookie).send().await,
            None => ask.proof(self.world.device("chief"), |_| {}).send().await,
        }
    }
}

const NOTICES: &str = "/console/v1/notices";

fn notice(title: &str, grids: &[&str]) -> Value {
    let until = yaoguan_town::days::day_of(Clock::default().now_s());
    json!({ "title": title, "text": "x", "until": until, "grids": grids })
}

/// Notices that a supervisor may not give.
fn bad_notices() -> [Value; 3] {
    [notice("a\nb", &[GRID]), notice("x", &["530521103999999"]), notice("x", &[])]
}

/// A notice of an administrator's to the whole town.
async fn notice_of_the_town(world: &World) -> String {
    let cookie = cookie_of(&world.town, world.device("admin").account).await;
    let given = console::post(&world.town, &cookie, NOTICES, &notice("镇", &[])).await;
    assert_eq!(given.status, 200, "{}", given.json);
    let all = console::get(&world.town, &cookie, NOTICES).await;
    all.json["rows"][0]["id"].as_str().unwrap().to_owned()
}

/// Tasks that nobody may be given.
fn bad_tasks() -> [Value; 3] {
    [("what", "nothing"), ("grid", OTHER_GRID), ("grid", "530521103999999")].map(|(name, value)| {
        let mut task = json!({ "what": "other", "words": "x", "grid": GRID });
        task[name] = json!(value);
        task
    })
}

/// A photo asked for beyond its end, and in a size that there is not.
async fn photo_answers(world: &World, route: &Route) -> [crate::Answer; 2] {
    let bytes = blobs::photo(9);
    let own = world.device("supervisor");
    assert_eq!(blobs::upload(&world.town, own, &bytes).await.status, 204);
    let file = format!("/console/v1/blobs/{}", BlobHash::of(&bytes));
    let cookie = cookie_of(&world.town, own.account).await;
    let range = Ask::new(&world.town, "GET", &file).session(&cookie);
    let beyond = range.header("range", "bytes=999999999-").send().await;
    let huge = world.asking(route, &format!("{file}?size=huge")).await.send("", b"").await;
    [beyond, huge]
}

/// The password once more, wrong and without its one-time code; the account was made for the sign-in.
async fn proved_answers(world: &World, route: &Route) -> Vec<crate::Answer> {
    let totp = world.town.town.storage.person("totp".to_owned()).await.unwrap().unwrap();
    let cookie = cookie_of(&world.town, totp.account.id).await;
    let mut answers = Vec::new();
    for password in ["none", console::PASSWORD] {
        let body = json!({ "password": password });
        answers.push(console::post(&world.town, &cookie, route.path, &body).await);
    }
    answers
}

/// What the console's routes say besides.
async fn console_answers(world: &World, route: &Route) -> Vec<crate::Answer> {
    let mut answers = Vec::new();
    let mut bodies: Vec<Value> = Vec::new();
    let mut path = route.path.to_owned();
    match (route.method, route.path) {
        ("POST", "/console/v1/session") => {
            console::people(&world.town).await;
            bodies.extend(["totp", "closed", "chief"].map(console::typed));
        }
        ("POST", "/console/v1/records/{id}") => {
            path = format!("/console/v1/records/{}", world.own_hazard());
            let change =
                |name: &str, value: &str| json!({ "changes": { name: { "value": value } } });
            bodies.extend([
                change("none", "x"),
                change("severity", "purple"),
                change("source", "x"),
                change("grid", "530521103999999"),
                json!({ "step": { "from": "reported", "to": "closed", "replaces": [] } }),
            ]);
        }
        ("POST", "/console/v1/tasks") => bodies.extend(bad_tasks()),
        ("POST", "/console/v1/notices") => bodies.extend(bad_notices()),
        ("POST", "/console/v1/notices/{id}/withdraw") => {
            path = path.replace("{id}", &notice_of_the_town(world).await);
            bodies.push(json!({}));
        }
        ("POST", "/console/v1/exports/{file}") => {
            path = "/console/v1/exports/hazards.csv".to_owned();
            bodies.extend([json!({ "reason": "" }), json!({ "reason": "月度汇总" })]);
        }
        ("GET", "/console/v1/blobs/{hash}") => answers.extend(photo_answers(world, route).await),
        ("GET", "/console/v1/hazards" | "/console/v1/tasks" | "/console/v1/daily") => {
            let path = format!("{path}?conflict=x&overdue=x&day=x");
            answers.push(world.asking(route, &path).await.send("", b"").await);
        }
        (
            "GET",
            "/console/v1/figures"
            | "/console/v1/coverage"
            | "/console/v1/households/due"
            | "/console/v1/map/hazards"
            | "/console/v1/map/patrols",
        ) => {
            let path = format!("{path}?grid=x&bbox=x&on=x");
            answers.push(world.asking(route, &path).await.send("", b"").await);
        }
        (_, path) if path.starts_with("/console/v1/admin/") || path.contains("/held") => {
            answers.extend(admin::answers(world, route).await);
        }
        ("POST", "/console/v1/session/prove") => answers.extend(proved_answers(world, route).await),
        _ => {}
    }
    if route.path.contains("{id}") {
        let path = route.path.replace("{id}", "none");
        answers.push(world.asking(route, &path).await.send("", b"{}").await);
    }
    for body in bodies {
        let body = body.to_string();
        answers.push(world.asking(route, &path).await.send("", body.as_bytes()).await);
    }
    if matches!(route.method, "POST" | "DELETE") {
        // Another page asks, with the cookie that the browser would send along.
        let cookie = cookie_of(&world.town, world.device(who(route)).account).await;
        let ask = Ask::new(&world.town, route.method, &path).body(b"{}");
        let ask = ask.header("origin", "https://elsewhere.example");
        answers.push(ask.header("cookie", &format!("__Secure-yaoguan={cookie}")).send().await);
    }
    answers
}

/// What a route answers to all of this.
async fn given(world: &World, route: &Route, bodies: &[Body]) -> BTreeSet<String> {
    let (town, own) = (&world.town, world.device("chief"));
    let id = match route.path.starts_with("/v1/blobs") {
        true => "none".to_owned(),
        false => world.own_hazard(),
    };
    let named = [
        ("{kind}", "hazard"),
        ("{file}", "none"),
        ("{hash}", "none"),
        ("{id}", &id),
        ("{collection}", "none"),
    ];
    let path =
        named.iter().fold(route.path.to_owned(), |path, (name, value)| path.replace(name, value));
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
    let path = match route.path {
        "/console/v1/exports/{file}" => path.replace("none", "tasks.csv"),
        _ => path,
    };
    for (encoding, body) in bodies.iter().filter(|_| matches!(route.method, "POST" | "PATCH")) {
        answers.push(world.asking(route, &path).await.send(encoding, body).await);
    }
    if route.path.starts_with("/console/v1/") {
        answers.extend(console_answers(world, route).await);
    }
    if route.path == "/ogc/collections/{collection}/items" {
        let path = "/ogc/collections/hazards/items?bbox=x";
        answers.push(Ask::new(town, "GET", path).proof(own, |_| {}).send().await);
    }
    if route.path == "/v1/tiles/{hash}" {
        let cookie = cookie_of(town, world.device("admin").account).await;
        let hash = tiles::publish(town, &cookie, &pmtiles(b"codes", 99.1)).await;
        let file = format!("/v1/tiles/{hash}");
        let beyond = Ask::new(town, "GET", &file).proof(own, |_| {}).header("range", "bytes=9999-");
        answers.push(beyond.send().await);
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
        elsewhere.contains(&code)
            || (route.path == "/v1/token" && code == "bad_request")
            // The same, and half a gigabyte is too much for a test.
            || (route.path == "/console/v1/admin/tiles" && ["bad_request", "too_large"].contains(&code))
            // Only a town without pages has none.
            || (route.path == "/console/" && code == "not_found")
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
