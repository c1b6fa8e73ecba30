//! The administrators' side of the console, as a browser asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use serde_json::{Value, json};
use yaoguan_field::values;
use yaoguan_model::{AccountId, BlobHash, Kind, Role};
use yaoguan_testkit::map::pmtiles;
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::api::routes::Route;
use yaoguan_town::storage::sql::Dialect;
use yaoguan_town::storage::{Apart as _, People as _};

use crate::console::{PASSWORD, get, person, post, set_cookie, sign_in, typed};
use crate::matrix::World;
use crate::{Answer, cookie_of, device_of, tiles};

/// An administrator with a session, and whose it is.
pub(crate) async fn admin(town: &TestTown) -> (String, AccountId) {
    let id = person(town, "boss", Role::Admin).await;
    let answer = sign_in(town, &typed("boss")).await;
    assert_eq!((answer.status, answer.json["role"].as_str()), (200, Some("admin")));
    (set_cookie(&answer).0, id)
}

fn rows(answer: &Answer) -> &[Value] {
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json["rows"].as_array().unwrap()
}

fn why(answer: &Answer) -> (u16, &str, &str) {
    let (status, code) = answer.code();
    (status, code, answer.json["why"].as_str().unwrap_or_default())
}

/// Entries of the audit log of this act, as the console shows them.
pub(crate) async fn audited(town: &TestTown, cookie: &str, act: &str) -> Vec<Value> {
    let path = format!("/console/v1/admin/audit?act={act}");
    get(town, cookie, &path).await.json["entries"].as_array().unwrap().clone()
}

fn sound_draft() -> Value {
    let item = json!({
        "key": "gas_hose", "zh": "软管老化", "en": "Hose aged", "weight": 3, "critical": false,
        "advice_zh": "请更换", "advice_en": "Have it replaced",
    });
    json!({
        "title_zh": "家庭安全检查", "title_en": "Home safety", "purpose": "find dangers",
        "basis": "Fire Protection Law", "retention": "2 years", "items": [item],
    })
}

fn asked_of_people() -> Value {
    let mut draft = sound_draft();
    draft["items"][0]["zh"] = json!("户主民族");
    draft
}

/// Ids and bodies of which each brings the route to say something else.
fn bodies(world: &World, route: &Route) -> Vec<(String, Value)> {
    let chief = world.device("chief");
    let none = |body| ("none".to_owned(), body);
    let bare = |body| (String::new(), body);
    let because = |reason: &str| json!({ "reason": reason });
    match route.path.trim_start_matches("/console/v1/") {
        "held/{id}" => {
            [" ", "x"].map(|note| none(json!({ "act": "refuse", "note": note }))).to_vec()
        }
        "admin/accounts/{id}" => vec![
            none(json!({ "act": "enable", "reason": "x" })),
            (chief.account.to_string(), json!({ "act": "change", "login": "?", "reason": "x" })),
        ],
        "admin/devices/{id}" => vec![none(because("x")), (chief.id.to_string(), because(" "))],
        "admin/invites/{id}" => vec![none(because("x")), none(because(" "))],
        "admin/recovered" => {
            vec![bare(because(" ")), bare(json!({ "hashes": ["none"], "reason": "x" }))]
        }
        "admin/accounts" => vec![bare(json!({ "login": "?", "name": "x", "role": "chief" }))],
        "admin/invites" => {
            [0, 1].map(|n| bare(json!({ "account": "none", "minutes": n }))).to_vec()
        }
        "admin/templates" => [sound_draft(), asked_of_people()]
            .map(|draft| bare(json!({ "draft": draft, "publish": true })))
            .to_vec(),
        "admin/grids" => {
            let file = grid_file("一", GRID);
            let write = |reason: &str| json!({ "file": file, "mapping": { "code": "网格编码" }, "write": true, "reason": reason });
            vec![bare(write("")), bare(write("x"))]
        }
        "admin/retention" => {
            [365, 0].map(|days| bare(json!({ "days": days, "reason": "x" }))).to_vec()
        }
        "admin/tiles/{hash}" => {
            let hash = BlobHash::of(&pmtiles(b"codes", 99.1)).to_string();
            let publish = |reason: &str| json!({ "act": "publish", "reason": reason });
            vec![none(publish("x")), (hash.clone(), publish(" ")), (hash, publish("x"))]
        }
        "admin/invites/sheet" => vec![bare(json!({ "minutes": 0 }))],
        _ => Vec::new(),
    }
}

/// What the routes say beside what every route of the console says.
pub(crate) async fn answers(world: &World, route: &Route) -> Vec<Answer> {
    let town = &world.town;
    let bodies = if route.method == "POST" { bodies(world, route) } else { Vec::new() };
    let mut answers = Vec::new();
    if route.path.starts_with("/console/v1/admin/tiles") {
        let cookie = cookie_of(town, world.device("admin").account).await;
        answers.push(tiles::send(town, &cookie, &pmtiles(b"codes", 99.1)).await);
    }
    for (id, body) in bodies {
        let path = route.path.replace("{id}", &id).replace("{hash}", &id);
        // A session of its own each time: an account has so many, and the oldest go.
        let stale = cookie_of(town, world.device("admin").account).await;
        town.town.storage.with_raw(|c| {
            c.execute("UPDATE session SET proved_at = 0 WHERE made_at > 0", []).unwrap();
        });
        answers.push(post(town, &stale, &path, &body).await);
        answers.push(world.asking(route, &path).await.send("", body.to_string().as_bytes()).await);
    }
    if route.path == "/console/v1/admin/grids" && route.method == "POST" {
        let large = vec![b' '; (12 << 20) + 1];
        answers.push(world.asking(route, route.path).await.send("", &large).await);
    }
    if route.method == "GET" {
        for query in ["role=x", "all=x", "before=x", "days=0"] {
            let path = format!("{}?{query}", route.path.replace("{id}", "none"));
            answers.push(world.asking(route, &path).await.send("", b"").await);
        }
    }
    answers
}

/// A file with one grid.
fn grid_file(name: &str, code: &str) -> String {
    let ring = json!([[99.2, 24.6], [99.21, 24.6], [99.21, 24.61], [99.2, 24.61], [99.2, 24.6]]);
    let feature = json!({
        "type": "Feature", "properties": { "网格编码": code, "name": name },
        "geometry": { "type": "Polygon", "coordinates": [ring] },
    });
    json!({ "type": "FeatureCollection", "features": [feature] }).to_string()
}

#[tokio::test]
async fn grids_of_a_file_are_looked_at_then_written_and_reach_the_phones() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let path = "/console/v1/admin/grids";
    let before = get(&town, &cookie, path).await.json["grids"].as_array().unwrap().len();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    phone.phone.sync(|_| {}).await.unwrap();
    let new = "530521103201099";
    let sent = |code: &str, write: bool| {
        let mapping = json!({ "code": "网格编码" });
        json!({ "file": grid_file("新网格", code), "mapping": mapping, "write": write, "reason": "重新划分" })
    };
    let looked = post(&town, &cookie, path, &sent(new, false)).await.json;
    assert_eq!((&looked["written"], &looked["troubles"]), (&json!(false), &json!([])), "{looked}");
    assert_eq!(looked["properties"], json!(["name", "网格编码"]));
    assert_eq!(looked["added"][0]["code"], new);
    assert_eq!(looked["missing"].as_array().unwrap().len(), before);
    let bad = post(&town, &cookie, path, &sent("530521103999001", true)).await.json;
    assert_eq!(bad["troubles"][0]["code"], "village");
    assert_eq!((&bad["written"], &bad["troubles"][0]["feature"]), (&json!(false), &json!(1)));
    assert!(audited(&town, &cookie, "grids_imported").await.iter().all(|e| e["reason"] == ""));
    assert_eq!(post(&town, &cookie, path, &sent(new, true)).await.json["written"], true);
    let moved = post(&town, &cookie, path, &sent(GRID, true)).await.json;
    assert_eq!(moved["changed"][0]["what"], json!(["boundary", "invented", "name"]), "{moved}");
    let again = post(&town, &cookie, path, &sent(GRID, false)).await.json;
    assert_eq!((&again["unchanged"], &again["changed"]), (&json!(1), &json!([])));
    assert_eq!(audited(&town, &cookie, "grids_imported").await[0]["reason"], "重新划分");
    phone.phone.sync(|_| {}).await.unwrap();
    let grids = phone.phone.grid_features().unwrap();
    let named = |code: &str| {
        let features = grids["features"].as_array().unwrap().clone();
        features.into_iter().find(|f| f["properties"]["code"] == code).unwrap()
    };
    assert_eq!(named(new)["properties"]["name"], "新网格");
    assert_eq!(named(GRID)["properties"]["name"], "新网格");
    assert_eq!(grids["features"].as_array().unwrap().len(), before + 1, "none is gone");
}

#[tokio::test]
async fn accounts_are_listed_added_changed_and_closed_by_name_and_with_care() {
    let town = TestTown::start().await.unwrap();
    let (cookie, boss) = admin(&town).await;
    let all = "/console/v1/admin/accounts";
    let first = get(&town, &cookie, all).await;
    assert_eq!(rows(&first).len(), 50);
    let total = first.json["total"].as_u64().unwrap();
    let (mut seen, mut next) = (0, String::new());
    loop {
        let page = get(&town, &cookie, &format!("{all}?after={next}")).await;
        seen += rows(&page).len() as u64;
        let Some(after) = page.json["next"].as_str() else { break };
        next = after.to_owned();
    }
    assert_eq!(seen, total);
    let village = get(&town, &cookie, &format!("{all}?village=530521103201&role=supervisor")).await;
    assert_eq!(rows(&village).len(), 1);
    let found = get(&town, &cookie, &format!("{all}?q=BOSS")).await;
    assert_eq!(rows(&found)[0]["id"], boss.to_string());

    let new = json!({ "login": "Wang", "name": "王五", "role": "chief", "grids": GRID });
    let added = post(&town, &cookie, all, &new).await;
    assert_eq!((added.status, added.json["login"].as_str()), (200, Some("wang")));
    assert_eq!(why(&post(&town, &cookie, all, &new).await), (409, "not_done", "login_taken"));
    let bare = json!({ "login": "li4", "name": "李四", "role": "chief", "grids": "" });
    assert_eq!(why(&post(&town, &cookie, all, &bare).await), (409, "not_done", "coverage"));
    let path = format!("{all}/{}", added.json["id"].as_str().unwrap());
    let moved = json!({ "act": "change", "grids": OTHER_GRID, "reason": "换网格" });
    let moved = post(&town, &cookie, &path, &moved).await;
    assert_eq!(moved.json["account"]["grids"], json!([OTHER_GRID]));
    let reset = json!({ "act": "reset", "reason": "忘了" });
    let reset = post(&town, &cookie, &path, &reset).await;
    assert_eq!(reset.json["once"]["code"].as_str().unwrap().len(), 19);
    let totp = post(&town, &cookie, &path, &json!({ "act": "totp_enrol", "reason": "x" })).await;
    assert!(totp.json["once"]["svg"].as_str().unwrap().starts_with("<svg "));
    let wrong = post(&town, &cookie, &path, &json!({ "act": "totp_confirm", "code": "0" })).await;
    assert_eq!(why(&wrong), (409, "not_done", "totp_wrong"));
    let disable = |reason: &str| json!({ "act": "disable", "reason": reason });
    assert_eq!(why(&post(&town, &cookie, &path, &disable(" ")).await), (409, "not_done", "reason"));
    town.clock.shift(601);
    let late = post(&town, &cookie, &path, &disable("离岗")).await;
    assert_eq!(late.code(), (403, "password_needed"));
    let prove = "/console/v1/session/prove";
    let wrong = post(&town, &cookie, prove, &json!({ "password": "none of it" })).await;
    assert_eq!(wrong.code(), (401, "sign_in_wrong"));
    assert_eq!(post(&town, &cookie, prove, &json!({ "password": PASSWORD })).await.status, 200);
    let closed = post(&town, &cookie, &path, &disable("离岗")).await;
    assert_eq!(closed.json["account"]["disabled"], true);
    let entry = &audited(&town, &cookie, "account_disabled").await[0];
    assert_eq!(
        (entry["by"].as_str(), entry["reason"].as_str()),
        (Some(&*boss.to_string()), Some("离岗"))
    );
    assert_eq!(
        (entry["by_name"].as_str(), entry["subject_name"].as_str()),
        (Some("boss"), Some("王五"))
    );
}

#[tokio::test]
async fn the_last_administrator_cannot_be_closed() {
    let town = TestTown::start().await.unwrap();
    let (cookie, boss) = admin(&town).await;
    let act = |id: AccountId| {
        (format!("/console/v1/admin/accounts/{id}"), json!({ "act": "disable", "reason": "x" }))
    };
    let first = town.town.storage.person("admin".to_owned()).await.unwrap().unwrap().account.id;
    let (path, body) = act(first);
    assert_eq!(post(&town, &cookie, &path, &body).await.status, 200);
    let (path, body) = act(boss);
    assert_eq!(why(&post(&town, &cookie, &path, &body).await), (409, "not_done", "last_admin"));
}

#[tokio::test]
async fn a_table_of_accounts_is_looked_at_first_and_written_when_it_is_sent_again() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let before = town.town.storage.people().await.unwrap().len();
    let import = async |table: &str, write: bool, skip_bad: bool| {
        let body = json!({ "file": B64.encode(table), "write": write, "skip_bad": skip_bad });
        post(&town, &cookie, "/console/v1/admin/accounts/import", &body).await.json
    };
    let table = format!(
        "账号,姓名,角色,网格\nw1,王一,联防长,{GRID}\nw2,王二,村长,{GRID}\nw1,王三,联防长,999\n"
    );
    let plan = import(&table, true, false).await;
    assert_eq!(
        (plan["written"].as_bool(), plan["added"][0]["login"].as_str()),
        (Some(false), Some("w1"))
    );
    assert_eq!(plan["bad"][0]["line"], 3);
    assert_eq!(plan["bad"][0]["troubles"], json!([{ "code": "unknown_role", "value": "村长" }]));
    assert_eq!(plan["bad"][1]["troubles"][0]["code"], "no_grid");
    assert_eq!(town.town.storage.people().await.unwrap().len(), before, "nothing is written");
    assert_eq!(import(&table, true, true).await["written"], true);
    assert_eq!(town.town.storage.people().await.unwrap().len(), before + 1);
    let again = import(&table, false, false).await;
    assert_eq!(
        (again["unchanged"].as_u64(), again["added"].as_array().unwrap().len()),
        (Some(1), 0)
    );
    let id_card = import("账号,姓名,角色,网格,身份证\n", false, false).await;
    assert_eq!(id_card["table"], json!({ "code": "odd_column", "value": "身份证" }));
}

#[tokio::test]
async fn an_invite_enrols_a_phone_that_is_listed_and_struck_off() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let all = "/console/v1/admin/invites";
    let made = post(&town, &cookie, all, &json!({ "account": account, "minutes": 10 })).await;
    assert!(made.json["svg"].as_str().unwrap().starts_with("<svg "), "{}", made.json);
    let phone = town.phone_by(made.json["uri"].as_str().unwrap()).await.unwrap();
    let used = get(&town, &cookie, &format!("{all}?all=true")).await;
    let invite = rows(&used).iter().find(|row| row["id"] == made.json["id"]).unwrap().clone();
    assert_eq!(invite["state"], "used");
    let second = post(&town, &cookie, all, &json!({ "account": account, "minutes": 10 })).await;
    let path = format!("{all}/{}", second.json["id"].as_str().unwrap());
    assert_eq!(post(&town, &cookie, &path, &json!({ "reason": "错发" })).await.status, 200);
    assert_eq!(post(&town, &cookie, &path, &json!({ "reason": "错发" })).await.status, 404);
    let uri = second.json["uri"].as_str().unwrap();
    assert!(town.phone_by(uri).await.is_err(), "a revoked invite lets nobody in");

    let devices = get(&town, &cookie, "/console/v1/admin/devices").await;
    let own = |answer: &Answer| {
        let id = invite["device"].as_str().unwrap().to_owned();
        rows(answer).iter().find(|row| row["id"] == id).unwrap().clone()
    };
    let device = own(&devices);
    assert!(device["app"].as_str().unwrap().starts_with("yaoguan/"), "{device}");
    assert_eq!((device["state"].as_str(), &device["attention"]), (Some("works"), &json!([])));
    town.clock.shift(8 * 24 * 3600);
    let cookie = set_cookie(&sign_in(&town, &typed("boss")).await).0;
    let silent = own(&get(&town, &cookie, "/console/v1/admin/devices").await);
    assert_eq!(silent["attention"], json!(["silent"]));
    let path = format!("/console/v1/admin/devices/{}", invite["device"].as_str().unwrap());
    assert_eq!(why(&post(&town, &cookie, &path, &json!({ "reason": "" })).await).2, "reason");
    assert_eq!(post(&town, &cookie, &path, &json!({ "reason": "丢失" })).await.status, 200);
    assert_eq!(own(&get(&town, &cookie, "/console/v1/admin/devices").await)["state"], "revoked");
    assert_eq!(audited(&town, &cookie, "device_revoked").await[0]["reason"], "丢失");
    drop(phone);
}

#[tokio::test]
async fn a_sheet_has_a_card_for_each_person_of_a_village() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let path = "/console/v1/admin/invites/sheet";
    let whom = json!({ "role": "volunteer", "village": "530521103201", "minutes": 60 });
    let sheet = post(&town, &cookie, path, &whom).await;
    assert_eq!((sheet.status, sheet.json["invites"].as_u64()), (200, Some(4)));
    assert_eq!(sheet.json["html"].as_str().unwrap().matches("<article").count(), 4);
    let nobody = json!({ "minutes": 60 });
    assert_eq!(why(&post(&town, &cookie, path, &nobody).await), (409, "not_done", "sheet_whom"));
    let too_long = json!({ "role": "chief", "minutes": 72 * 60 + 1 });
    assert_eq!(why(&post(&town, &cookie, path, &too_long).await).2, "invite_minutes");
}

/// A hazard and a household of a revoked phone, held.
async fn holds(town: &TestTown) -> (String, String) {
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let mut phone = town.phone_of(account, town.address).await.unwrap();
    let devices = town.town.storage.devices().await.unwrap();
    let device = devices.iter().find(|device| device.account == account).unwrap().id;
    let slope =
        [("category", "slope"), ("severity", "major"), ("title", "held slope"), ("grid", GRID)];
    let house = [("address", "上街3号"), ("grid", GRID)];
    for (kind, fields) in [(Kind::Hazard, &slope[..]), (Kind::Household, &house[..])] {
        let form = phone.phone.new_form(kind.clone()).unwrap();
        let typed = fields.iter().map(|(field, text)| values::typed(&kind, field, text).unwrap());
        phone.phone.save(&form, typed.collect()).unwrap();
    }
    town.town.storage.revoke_device(device, town.done()).await.unwrap();
    _ = phone.phone.sync(|_| {}).await;
    let held = town.town.storage.held().await.unwrap();
    let of = |kind| held.iter().find(|held| held.about.kind == kind).unwrap().id.to_string();
    (of(Kind::Hazard), of(Kind::Household))
}

#[tokio::test]
async fn held_saves_are_decided_by_whoever_may_read_them() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let own = cookie_of(&town, town.account(Role::Supervisor, &[GRID]).await.unwrap()).await;
    let other =
        cookie_of(&town, town.account(Role::Supervisor, &[OTHER_GRID]).await.unwrap()).await;
    let (hazard, household) = holds(&town).await;
    let all = "/console/v1/held";
    let listed = get(&town, &cookie, all).await;
    let readable = |id: &str| {
        rows(&listed).iter().find(|row| row["id"] == id).unwrap()["readable"].as_bool().unwrap()
    };
    assert_eq!((readable(&hazard), readable(&household)), (true, false));
    assert!(!listed.json.to_string().contains("上街"), "an administrator reads no household");
    assert_eq!(rows(&get(&town, &other, all).await).len(), 0);
    assert_eq!(rows(&get(&town, &own, all).await).len(), 2);

    let path = format!("{all}/{household}");
    assert_eq!(get(&town, &cookie, &path).await.status, 404);
    let release = json!({ "act": "release", "note": "核对过" });
    assert_eq!(post(&town, &cookie, &path, &release).await.status, 404);
    assert_eq!(post(&town, &other, &path, &release).await.status, 404);
    assert!(get(&town, &own, &path).await.json.to_string().contains("上街3号"));
    assert_eq!(audited(&town, &cookie, "household_read").await.len(), 1);
    assert_eq!(post(&town, &own, &path, &release).await.status, 200);

    let path = format!("{all}/{hazard}");
    let shown = get(&town, &cookie, &path).await.json;
    assert_eq!(shown["new"], true);
    let changes = shown["changes"].as_array().unwrap();
    let title = changes.iter().find(|change| change["path"] == "title").unwrap();
    assert_eq!((&title["before"], &title["after"]), (&json!([]), &json!(["held slope"])));
    let silent = json!({ "act": "release", "note": " " });
    assert_eq!(why(&post(&town, &cookie, &path, &silent).await), (409, "not_done", "reason"));
    assert_eq!(post(&town, &cookie, &path, &release).await.status, 200);
    assert_eq!(post(&town, &cookie, &path, &release).await.status, 404);
    assert_eq!(rows(&get(&town, &cookie, all).await).len(), 0);
    assert_eq!(audited(&town, &cookie, "hold_released").await.len(), 2);
    let found = town.town.storage.with_raw(|c| {
        let sql = "SELECT count(*) FROM inbox WHERE title = 'held slope'";
        c.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    });
    assert_eq!(found, 1);
}

#[tokio::test]
async fn a_template_is_published_for_phones_and_one_that_asks_of_people_is_not() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    assert_eq!(phone.phone.check_template().unwrap().items.len(), 17);
    let path = "/console/v1/admin/templates";
    let send = async |draft: Value, publish: bool| {
        let body = json!({ "draft": draft, "publish": publish, "reason": "新版" });
        post(&town, &cookie, path, &body).await
    };
    let looked = send(asked_of_people(), false).await.json;
    let trouble = json!({ "item": 1, "field": "zh", "code": "forbidden", "value": "民族" });
    assert_eq!(looked, json!({ "troubles": [trouble], "published": null }));
    let refused = send(asked_of_people(), true).await;
    assert_eq!(refused.code(), (422, "field_forbidden"));
    assert!(refused.json["message"].as_str().unwrap().contains("1 zh: 民族"));
    let mut unfounded = sound_draft();
    unfounded["basis"] = json!("");
    assert_eq!(why(&send(unfounded, true).await), (409, "not_done", "template"));
    assert_eq!(send(sound_draft(), true).await.json["published"], 2);
    phone.phone.sync(|_| {}).await.unwrap();
    let template = phone.phone.check_template().unwrap();
    assert_eq!((template.version, template.items.len()), (2, 1));
    let listed = get(&town, &cookie, path).await.json;
    assert_eq!(listed["versions"][0]["version"], 2);
    assert_eq!(audited(&town, &cookie, "template_published").await[0]["reason"], "新版");
}

#[tokio::test]
async fn how_the_town_stands_is_said_in_words_with_what_to_do() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let stands = get(&town, &cookie, "/console/v1/admin/standing").await.json;
    assert_eq!((stands["demo"].as_bool(), stands["held"].as_u64()), (Some(true), Some(0)));
    let checks = stands["checks"].as_array().unwrap();
    let backup = checks.iter().find(|check| check["name"] == "backup").unwrap();
    if town.town.storage.embedded().is_ok() {
        assert_eq!(backup["state"], "warn");
        assert_eq!(backup["words"], "The server makes no backups");
        assert!(backup["remedy"].as_str().unwrap().contains("backup_dir"), "{backup}");
    } else {
        assert_eq!((&backup["state"], &backup["remedy"]), (&json!("ok"), &Value::Null));
    }
    assert!(checks.iter().any(|check| check["state"] == "ok" && check["remedy"].is_null()));
}

#[tokio::test]
async fn the_log_is_searched_paged_and_whole() {
    let town = TestTown::start().await.unwrap();
    let (cookie, boss) = admin(&town).await;
    let path = "/console/v1/admin/audit";
    let first = get(&town, &cookie, path).await.json;
    assert_eq!(first["entries"].as_array().unwrap().len(), 100);
    let next = first["next"].as_u64().unwrap();
    let second = get(&town, &cookie, &format!("{path}?before={next}")).await.json;
    assert_eq!(second["entries"][0]["sequence"], next - 1);
    let about = get(&town, &cookie, &format!("{path}?about=boss")).await.json;
    let entries = about["entries"].as_array().unwrap();
    assert!(!entries.is_empty() && entries.iter().all(|e| e["subject"] == boss.to_string()));
    let later = format!("{path}?since={}", town.town_time() + 1);
    assert_eq!(get(&town, &cookie, &later).await.json["entries"], json!([]));
    let check = get(&town, &cookie, &format!("{path}/check")).await.json;
    assert_eq!((&check["flaws"], check["entries"].as_u64() > Some(100)), (&json!([]), true));
    town.town.storage.with_raw(|c| {
        let change = "UPDATE audit SET reason = 'x' WHERE sequence = 5";
        let sql = match c.dialect() {
            Dialect::Sqlite => format!("DROP TRIGGER audit_stays; {change}"),
            // Other towns of the database keep it.
            Dialect::Postgres => format!(
                "DROP TRIGGER audit_only_grows ON audit; {change}; CREATE TRIGGER audit_only_grows \
                 BEFORE INSERT OR UPDATE OR DELETE ON audit \
                 FOR EACH ROW EXECUTE FUNCTION audit_only_grows()"
            ),
        };
        c.execute_batch(&sql).unwrap();
    });
    let check = get(&town, &cookie, &format!("{path}/check")).await.json;
    assert_eq!(check["flaws"][0], json!({ "sort": "changed", "sequence": 5 }));
}

#[tokio::test]
async fn a_supervisor_is_told_that_these_pages_are_not_theirs_and_an_administrator_reads_no_record()
{
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let supervisor = cookie_of(&town, account).await;
    let device = device_of(&town, account).await;
    let path = format!("/console/v1/admin/devices/{}", device.id);
    let refused = post(&town, &supervisor, &path, &json!({ "reason": "x" })).await;
    assert_eq!(refused.code(), (403, "not_for_role"));
    assert_eq!(get(&town, &supervisor, "/console/v1/admin/audit").await.code().1, "not_for_role");
    for path in ["hazards", "roster", "events"] {
        assert_eq!(get(&town, &cookie, &format!("/console/v1/{path}")).await.status, 401, "{path}");
    }
}
