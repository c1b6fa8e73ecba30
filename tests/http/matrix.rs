//! Who may what: every route of the router × every sort of asker × own and other cell × own and other
//! author. The routes come from the router's own table: one without rows here fails.

mod desk;
mod interop;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};
use yaoguan_model::{AccountId, Kind, Role, canonical};
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_town::api::routes::{Caller, ROUTES, Route};
use yaoguan_town::storage::Storage as _;

use crate::population::{Marked, Sort, populate, seen};
use crate::{Answer, Ask, Device, cookie_of, device_of, empty_request};

/// An asker of the matrix.
pub(crate) struct Asker {
    pub(crate) name: &'static str,
    /// The role whose records it may see; none when it may see nothing.
    reads: Option<Role>,
    account: Option<AccountId>,
    pub(crate) device: Option<Device>,
    token: Option<String>,
}

impl Asker {
    fn may_see(&self, marked: &Marked) -> bool {
        let own_author = self.account == Some(marked.author);
        self.reads.is_some_and(|role| marked.sort.is_read_by(role, marked.own_cell, own_author))
    }

    /// A token reads and does nothing else.
    fn signs(&self) -> bool {
        self.reads.is_some() && self.token.is_none()
    }

    /// Everything that a sync gives, page by page, and whether there was anything.
    async fn pull(&self, town: &TestTown) -> (bool, String) {
        let (mut said, mut allowed, mut cursor) = (String::new(), false, Value::Null);
        loop {
            let mut request = empty_request();
            if cursor.is_string() {
                request["cursor"] = cursor;
            }
            let body = request.to_string();
            let answer = self.ask(town, "POST", "/v1/sync", body.as_bytes()).await;
            said += &answer.json.to_string();
            allowed |= answer.status == 200;
            cursor = answer.json["cursor"].clone();
            if answer.json["more"] != true {
                return (allowed, said);
            }
        }
    }

    pub(crate) async fn ask(
        &self,
        town: &TestTown,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Answer {
        let mut ask = Ask::new(town, method, path).body(body);
        if path.starts_with("/console/v1/") {
            // With a session also where the role has none.
            return match self.account {
                Some(account) => ask.session(&cookie_of(town, account).await).send().await,
                None => ask.own_page().send().await,
            };
        }
        if let Some(device) = &self.device {
            ask = ask.proof(device, |_| {});
        }
        if let Some(token) = &self.token {
            ask = ask.bearer(token);
        }
        ask.send().await
    }
}

pub(crate) struct World {
    pub(crate) town: TestTown,
    pub(crate) askers: Vec<Asker>,
    pub(crate) all: Vec<Marked>,
    hashes: Vec<String>,
    epoch: Value,
}

pub(crate) async fn world() -> World {
    let town = TestTown::start().await.unwrap();
    let mut askers = Vec::new();
    let sorts = [
        ("volunteer", Role::Volunteer, true),
        ("chief", Role::Chief, true),
        ("supervisor", Role::Supervisor, true),
        ("admin", Role::Admin, true),
        ("revoked", Role::Chief, false),
        ("disabled", Role::Chief, false),
        ("token", Role::Chief, true),
    ];
    for (name, role, reads) in sorts {
        let grids: &[&str] = if role == Role::Admin { &[] } else { &[GRID] };
        let account = town.account(role, grids).await.unwrap();
        let device = Some(device_of(&town, account).await);
        let reads = reads.then_some(role);
        askers.push(Asker { name, reads, account: Some(account), device, token: None });
    }
    let none = Asker { name: "anonymous", reads: None, account: None, device: None, token: None };
    askers.push(none);
    let stranger = town.account(Role::Chief, &[GRID]).await.unwrap();
    let mut authors: Vec<AccountId> = askers.iter().filter_map(|asker| asker.account).collect();
    authors.push(stranger);
    let all = populate(&town, &authors).await;
    for asker in &mut askers {
        let Some(device) = &asker.device else { continue };
        match asker.name {
            "token" => {
                let made = Ask::new(&town, "POST", "/v1/token").proof(device, |_| {}).send().await;
                asker.token = Some(made.json["token"].as_str().unwrap().to_owned());
                asker.device = None;
            }
            "revoked" => town.town.storage.with_raw(|c| {
                let sql = "UPDATE device SET revoked_at = 1 WHERE id = ?1";
                c.execute(sql, [device.id.as_bytes()]).unwrap();
            }),
            "disabled" => town.town.storage.with_raw(|c| {
                let sql = "UPDATE account SET disabled_at = 1 WHERE id = ?1";
                c.execute(sql, [asker.account.unwrap().as_bytes()]).unwrap();
            }),
            _ => {}
        }
    }
    let mut hashes = Vec::new();
    for kind in Kind::ALL {
        let records = town.town.storage.records(kind).await.unwrap();
        hashes.extend(records.iter().map(|r| B64.encode(canonical::hash(&canonical::encode(r)))));
    }
    let info = town.town.storage.info().await.unwrap();
    let epoch = serde_json::to_value(info.epoch).unwrap();
    World { town, askers, all, hashes, epoch }
}

/// What one asker got from one route: was it let in, and what did it hear?
struct Heard {
    allowed: bool,
    /// It ought to have been let in.
    expected: bool,
    /// Everything that was said, over all requests of the row.
    said: String,
    /// Sorts of record that the route tells of.
    sorts: &'static [Sort],
}

/// The rows of a route for one asker; none: this test does not know the route.
async fn rows(route: &Route, world: &World, asker: &Asker) -> Option<Heard> {
    let town = &world.town;
    let all: &'static [Sort] = &crate::population::SORTS;
    if route.path.starts_with("/ogc/collections") {
        return interop::ogc_rows(route, world, asker).await;
    }
    let heard = match (route.method, route.path) {
        ("POST", "/v1/sync") => {
            let (allowed, said) = asker.pull(town).await;
            Heard { allowed, expected: asker.signs(), said, sorts: all }
        }
        ("POST", "/v1/reconcile") => {
            // Whoever knows every hash still gets only what is theirs.
            let request = json!({ "protocol": 1, "epoch": world.epoch, "scope_version": 0, "wanted": world.hashes });
            let body = request.to_string();
            let answer = asker.ask(town, "POST", "/v1/reconcile", body.as_bytes()).await;
            let allowed = answer.status == 200;
            assert!(!allowed || answer.json["answered"] == world.hashes.len(), "{}", answer.json);
            Heard { allowed, expected: asker.signs(), said: answer.json.to_string(), sorts: all }
        }
        ("GET", "/v1/records/{kind}") => {
            let (mut said, mut statuses) = (String::new(), BTreeSet::new());
            for kind in Kind::ALL {
                let answer = asker.ask(town, "GET", &format!("/v1/records/{kind}"), &[]).await;
                statuses.insert(answer.status);
                said += &answer.json.to_string();
            }
            assert_eq!(statuses.len(), 1, "{} {statuses:?}", asker.name);
            let allowed = statuses.contains(&200);
            Heard { allowed, expected: asker.reads.is_some(), said, sorts: all }
        }
        ("POST", "/v1/token") => {
            let answer = asker.ask(town, "POST", "/v1/token", &[]).await;
            let (allowed, said) = (answer.status == 200, answer.json.to_string());
            Heard { allowed, expected: asker.signs(), said, sorts: &[] }
        }
        ("POST", "/v1/files/missing") => {
            let body = json!({ "files": ["ab".repeat(32)] }).to_string();
            let answer = asker.ask(town, "POST", route.path, body.as_bytes()).await;
            let (allowed, said) = (answer.status == 200, answer.json.to_string());
            Heard { allowed, expected: asker.signs(), said, sorts: &[] }
        }
        ("POST", "/v1/enrol" | "/v1/password") => {
            // Nobody is shut out before the invite, or login and code, are looked at.
            let mut body = json!({ "login": "none", "code": "none", "password": "correct horse" });
            if route.path == "/v1/enrol" {
                body = json!({ "protocol": 1, "code": "none", "public_key": "none", "device_name": "x" });
            }
            let status = if route.path == "/v1/enrol" { 400 } else { 410 };
            let answer = asker.ask(town, "POST", route.path, body.to_string().as_bytes()).await;
            let (allowed, said) = (answer.status == status, answer.json.to_string());
            Heard { allowed, expected: true, said, sorts: &[] }
        }
        (_, path) if path.starts_with("/console") => {
            return console_rows(route, world, asker).await;
        }
        ("OPTIONS" | "POST", "/v1/blobs")
        | ("HEAD" | "PATCH" | "DELETE", "/v1/blobs/uploads/{id}")
        | ("GET", "/v1/blobs/{hash}" | "/v1/tiles" | "/v1/tiles/{hash}") => {
            file_rows(route, town, asker).await
        }
        ("GET", "/healthz" | "/readyz" | "/api/openapi.json")
        | ("GET", "/ogc" | "/ogc/conformance" | "/ogc/api") => {
            let answer = asker.ask(town, "GET", route.path, &[]).await;
            let said = answer.json.to_string();
            Heard { allowed: answer.status == 200, expected: true, said, sorts: &[] }
        }
        _ => return None,
    };
    Some(heard)
}

/// The rows of the routes of files and of the map. Let in is who hears about tus, or that nothing is there; what
/// files tell stands in `blobs`, the map in `tiles`.
async fn file_rows(route: &Route, town: &TestTown, asker: &Asker) -> Heard {
    let path = route.path.replace("{hash}", "none").replace("{id}", "none");
    let answer = asker.ask(town, route.method, &path, &[]).await;
    let expected = route.method == "OPTIONS" || asker.reads.is_some();
    let allowed = matches!(answer.status, 204 | 404 | 412);
    Heard { allowed, expected, said: answer.json.to_string(), sorts: &[] }
}

/// The rows of the administrators' routes, and of those that they share with supervisors. What there is to do is
/// asked of nothing: let in is who hears that nothing is there, or that something is missing.
async fn admin_rows(route: &Route, world: &World, asker: &Asker) -> Option<Heard> {
    let body = match (route.method, route.path.trim_start_matches("/console/v1/")) {
        ("GET", "held" | "held/{id}" | "admin/accounts" | "admin/invites" | "admin/devices")
        | (
            "GET",
            "admin/recovered" | "admin/grids" | "admin/templates" | "admin/standing"
            | "admin/audit" | "admin/audit/check",
        ) => "",
        ("GET", "tiles" | "tiles/{hash}/{zoom}/{x}/{y}") => "",
        ("GET", "admin/retention") => "",
        ("POST", "admin/retention") => r#"{"days":0,"reason":"x"}"#,
        ("POST", "notices") => r#"{"title":"x","text":"x","until":""}"#,
        ("POST", "notices/{id}/withdraw") => "{}",
        ("POST", "admin/tiles") => "no map",
        ("POST", "admin/tiles/{hash}") => r#"{"act":"remove","reason":"x"}"#,
        ("POST", "session/prove") => r#"{"password":"none"}"#,
        ("POST", "held/{id}") => r#"{"act":"refuse","note":"x"}"#,
        ("POST", "admin/accounts") => r#"{"login":"","name":"x","role":"chief"}"#,
        ("POST", "admin/accounts/import") => r#"{"file":""}"#,
        ("POST", "admin/accounts/{id}") => r#"{"act":"enable","reason":"x"}"#,
        ("POST", "admin/invites") => r#"{"account":"none","minutes":1}"#,
        ("POST", "admin/invites/sheet") => r#"{"minutes":1}"#,
        ("POST", "admin/invites/{id}" | "admin/devices/{id}") => r#"{"reason":"x"}"#,
        ("POST", "admin/templates") => "{}",
        ("POST", "admin/grids") => r#"{"file":"","write":true}"#,
        ("POST", "admin/recovered") => r#"{"hashes":[],"reason":"x"}"#,
        _ => return None,
    };
    let expected = match route.caller {
        Caller::SignedIn => matches!(asker.name, "supervisor" | "admin"),
        Caller::Anyone | Caller::Device | Caller::Reader | Caller::Session | Caller::Admin => {
            asker.name == "admin"
        }
    };
    let path = route.path.replace("{id}", "none").replace("{hash}", "none");
    let answer = asker.ask(&world.town, route.method, &path, body.as_bytes()).await;
    let shut = ["unauthorised", "not_for_role", "cross_site"];
    let allowed = !shut.contains(&answer.code().1);
    Some(Heard { allowed, expected, said: answer.json.to_string(), sorts: &[] })
}

/// A list page by page: whether it was given, and all that it said.
async fn every_page(route: &Route, world: &World, asker: &Asker) -> (bool, String) {
    let (mut allowed, mut said, mut after) = (false, String::new(), String::new());
    loop {
        let path = format!("{}?after={after}", route.path);
        let answer = asker.ask(&world.town, route.method, &path, b"").await;
        said += &answer.json.to_string();
        allowed |= answer.status == 200;
        let Some(next) = answer.json["next"].as_str() else { return (allowed, said) };
        after = next.to_owned();
    }
}

/// Each record is there for those who may see it, and for nobody else.
async fn every_record(
    route: &Route,
    world: &World,
    asker: &Asker,
    expected: bool,
) -> (bool, String) {
    let (mut allowed, mut said) = (false, String::new());
    for marked in &world.all {
        let path = format!("/console/v1/records/{}", marked.id);
        let note = json!({ "note": "seen" }).to_string();
        let answer = asker.ask(&world.town, route.method, &path, note.as_bytes()).await;
        said += &answer.json.to_string();
        allowed |= answer.status == 200;
        let there = answer.status != 404 && answer.status != 401;
        assert_eq!(there, expected && asker.may_see(marked), "{}", marked.canary);
    }
    (allowed, said)
}

/// Whether an answer gave something, and what.
fn plainly(answer: &Answer) -> (bool, String) {
    (answer.status == 200, answer.json.to_string())
}

/// The rows of the console's routes: sessions are for supervisors.
async fn console_rows(route: &Route, world: &World, asker: &Asker) -> Option<Heard> {
    let town = &world.town;
    let all: &'static [Sort] = &crate::population::SORTS;
    if let Some(heard) = admin_rows(route, world, asker).await {
        return Some(heard);
    }
    let signed_in = ["supervisor", "admin"].contains(&asker.name);
    let expected = asker.name == "supervisor" || (signed_in && route.caller == Caller::SignedIn);
    let ask =
        async |path: &str, body: &str| asker.ask(town, route.method, path, body.as_bytes()).await;
    let heard = match (route.method, route.path) {
        ("POST", "/console/v1/session") => {
            let body = json!({ "login": asker.name, "password": "none" }).to_string();
            let answer = ask(route.path, &body).await;
            let (allowed, said) = (answer.code().1 == "sign_in_wrong", answer.json.to_string());
            Heard { allowed, expected: true, said, sorts: &[] }
        }
        ("GET", "/console/v1/notices") => {
            let (allowed, said) = plainly(&ask(route.path, "{}").await);
            Heard { allowed, expected, said, sorts: &[Sort::Notice] }
        }
        (
            "GET",
            "/console/v1/me" | "/console/v1/roster" | "/console/v1/events" | "/console/v1/views",
        )
        | ("POST", "/console/v1/session/end") => {
            let (allowed, said) = plainly(&ask(route.path, "{}").await);
            Heard { allowed, expected, said, sorts: &[] }
        }
        ("GET", "/console/v1/hazards") => {
            let (allowed, said) = every_page(route, world, asker).await;
            Heard { allowed, expected, said, sorts: &[Sort::Hazard, Sort::LinkedHazard] }
        }
        (
            "GET",
            "/console/v1/figures"
            | "/console/v1/coverage"
            | "/console/v1/households/due"
            | "/console/v1/map/grids"
            | "/console/v1/map/hazards"
            | "/console/v1/map/patrols",
        ) => {
            // Numbers and places, never what somebody wrote; whose they are: `figures`.
            let path = format!("{}?bbox=98.9,24.3,99.6,25.0", route.path);
            let (allowed, said) = plainly(&ask(&path, "").await);
            Heard { allowed, expected, said, sorts: &[] }
        }
        (_, "/console/v1/waiting" | "/console/v1/daily" | "/console/v1/tasks")
        | ("POST", "/console/v1/decisions" | "/console/v1/views")
        | ("DELETE", "/console/v1/views/{id}") => {
            return desk::console_rows(route, world, asker).await;
        }
        ("GET", "/console/v1/records/{id}/photos" | "/console/v1/blobs/{hash}")
        | ("POST", "/console/v1/exports/{file}") => {
            return interop::console_rows(route, world, asker).await;
        }
        (_, "/console/v1/records/{id}") => {
            let (allowed, said) = every_record(route, world, asker, expected).await;
            let sorts = if route.method == "GET" { all } else { &[] };
            Heard { allowed, expected, said, sorts }
        }
        ("GET", "/console" | "/console/" | "/console/assets/{file}") => {
            let answer = ask(&route.path.replace("{file}", "page.js"), "").await;
            let said = answer.json.to_string();
            Heard { allowed: matches!(answer.status, 200 | 308), expected: true, said, sorts: &[] }
        }
        _ => return None,
    };
    Some(heard)
}

#[tokio::test]
async fn nobody_hears_from_any_route_what_is_not_theirs() {
    let world = world().await;
    let (mut count, mut leaks) = (0, Vec::new());
    let mut allowed_rows: BTreeMap<&str, usize> = BTreeMap::new();
    for route in ROUTES.iter() {
        for asker in &world.askers {
            let name = format!("{} {} {}", route.method, route.path, asker.name);
            let heard = rows(route, &world, asker).await;
            let heard = heard.unwrap_or_else(|| panic!("{name}: this route has no rows"));
            assert_eq!(heard.allowed, heard.expected, "{name}");
            *allowed_rows.entry(route.path).or_default() += usize::from(heard.allowed);
            let seen = seen(&heard.said, &world.all);
            for own_cell in [true, false] {
                for own_author in [true, false] {
                    count += 1;
                    let class = world.all.iter().filter(|marked| {
                        marked.own_cell == own_cell
                            && (asker.account == Some(marked.author)) == own_author
                    });
                    for marked in class {
                        let told = heard.allowed && heard.sorts.contains(&marked.sort);
                        let expected = told && asker.may_see(marked);
                        let found = seen.contains(marked.canary.as_str());
                        if found && !expected {
                            leaks.push(format!("{name}: {}", marked.canary));
                        }
                        assert!(found || !expected, "{name}: {} is missing", marked.canary);
                    }
                }
            }
        }
    }
    for route in ROUTES.iter() {
        assert!(allowed_rows[route.path] > 0, "{} lets nobody in", route.path);
    }
    println!("matrix: {} routes, {count} rows, {} leaks", ROUTES.len(), leaks.len());
    assert_eq!(leaks, Vec::<String>::new());
}
