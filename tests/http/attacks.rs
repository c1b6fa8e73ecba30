//! Attacks by people who have a phone: each is refused, and the town is afterwards what it was before.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use yaoguan_model::{
    Change, Dot, FieldPath, Kind, Record, RecordId, ReplicaId, Role, Value, VersionVector,
    canonical,
};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::storage::Storage as _;
use yaoguan_wire::proof::{Claims, body_hash};
use yaoguan_wire::{Clock, PROTOCOL, Push, PushToken, ReplicaTable, SyncRequest};

use crate::population::write;
use crate::{Answer, Ask, Device, device_of};

const MINE: ReplicaId = ReplicaId([0x4D; 16]);
const CANARY: &str = "canary-of-the-other-grid";

/// A town with a hazard of a stranger in each grid, and an attacker with a phone.
struct Scene {
    town: TestTown,
    attacker: Device,
    stranger: Device,
    /// In the attacker's grid; a supervisor assigned it.
    near: Record,
    /// In another grid.
    far: Record,
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn hazard(grid: &str, title: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("category", text("slope")),
        ("severity", text("major")),
        ("grid", text(grid)),
        ("seen_at", 1.into()),
        ("status", text("reported")),
        ("title", text(title)),
    ]
}

impl Scene {
    async fn of(role: Role) -> Self {
        let town = TestTown::start().await.unwrap();
        let account = town.account(role, &[GRID]).await.unwrap();
        let attacker = device_of(&town, account).await;
        let account = town.account(Role::Chief, &[GRID, OTHER_GRID]).await.unwrap();
        let stranger = device_of(&town, account).await;
        let mut near = hazard(GRID, "近");
        near.push(("assignee", text(&stranger.account.to_string())));
        let near = write(&town, Kind::Hazard, stranger.account, &near);
        let far = write(&town, Kind::Hazard, stranger.account, &hazard(OTHER_GRID, CANARY));
        let ids = [near.id, far.id];
        town.town.storage.write_own(vec![near, far], town.done()).await.unwrap();
        let mut found = Vec::new();
        for id in ids {
            found.push(record(&town, id).await.unwrap());
        }
        let far = found.pop().unwrap();
        let near = found.pop().unwrap();
        Self { town, attacker, stranger, near, far }
    }

    /// Everything that a push could change, as text.
    fn state(&self) -> String {
        self.town.town.storage.with_raw(|c| {
            let mut all = String::new();
            for sql in [
                "SELECT hex(id) || hex(hash) FROM record ORDER BY id",
                "SELECT cell || hex(record) || position || state FROM feed ORDER BY cell, record",
                "SELECT hex(id) || outcome FROM held ORDER BY id",
                "SELECT hex(hash) FROM recovered ORDER BY hash",
                "SELECT hex(id) || role || scope_version FROM account ORDER BY id",
                "SELECT hex(id) || coalesce(CAST(revoked_at AS TEXT), '') FROM device ORDER BY id",
            ] {
                let mut statement = c.prepare_cached(sql).unwrap();
                let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
                all.extend(rows.map(Result::unwrap));
                all.push('\n');
            }
            all
        })
    }

    async fn push(&self, device: &Device, request: &SyncRequest) -> Answer {
        let body = serde_json::to_vec(request).unwrap();
        Ask::new(&self.town, "POST", "/v1/sync").body(&body).proof(device, |_| {}).send().await
    }

    /// Pushes a record; it is refused with this code and nothing changes.
    async fn refused(&self, what: &str, pushed: &Record, code: &str) {
        let before = self.state();
        let answer = self.push(&self.attacker, &request(MINE, 1_000, &[pushed])).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.json);
        let verdict = &answer.json["verdicts"][0];
        assert_eq!(verdict["verdict"], "refused", "{what}: {verdict}");
        assert_eq!(verdict["code"], code, "{what}: {verdict}");
        assert!(!answer.json.to_string().contains(CANARY), "{what}: it hears nothing of it");
        assert_eq!(self.state(), before, "{what}");
    }
}

async fn record(town: &TestTown, id: RecordId) -> Option<Record> {
    let all = town.town.storage.records(Kind::Hazard).await.unwrap();
    all.into_iter().find(|record| record.id == id)
}

fn request(replica: ReplicaId, counter: u64, records: &[&Record]) -> SyncRequest {
    let mut table = ReplicaTable::default();
    let records = records.iter().map(|record| table.pack(record)).collect();
    SyncRequest {
        protocol: PROTOCOL,
        epoch: None,
        replica,
        push: Push {
            // The chain of every earlier push of this test.
            tokens: vec![PushToken::new([7; 16])],
            next: Some(PushToken::new([7; 16])),
            counter,
            former: Vec::new(),
        },
        cursor: None,
        scope_version: 1,
        replicas: table.into_ids(),
        records,
        holds: Vec::new(),
        clock: Clock { device: 0, boot_elapsed: 0 },
        waiting: None,
    }
}

/// The record after one save of the attacker's; what stands there is replaced unless said otherwise.
fn saved(before: &Record, fields: &[(&str, Option<Value>)], beside: bool) -> Record {
    let mut record = before.clone();
    let change = |(path, value): &(&str, Option<Value>)| {
        let replaces = if beside { Vec::new() } else { before.dots(path) };
        (path.parse::<FieldPath>().unwrap(), Change { replaces, value: value.clone() })
    };
    let changes: BTreeMap<_, _> = fields.iter().map(change).collect();
    record.put(&changes, Dot::new(MINE, 1));
    record
}

#[tokio::test]
async fn knowing_an_id_or_even_the_whole_record_gives_nothing() {
    for role in Role::ALL {
        let scene = Scene::of(role).await;
        let beside = saved(&scene.far, &[("grid", Some(text(GRID)))], true);
        scene.refused("a grid of one's own as a second sibling", &beside, "out_of_scope").await;
        let moved = saved(&scene.far, &[("grid", Some(text(GRID)))], false);
        scene.refused("moved into one's own grid", &moved, "out_of_scope").await;
        let blank = Record::new(scene.far.id, Kind::Hazard, scene.far.created_by);
        let all: Vec<_> = hazard(GRID, "我的").into_iter().map(|(p, v)| (p, Some(v))).collect();
        scene.refused("only its id is known", &saved(&blank, &all, false), "out_of_scope").await;
        let note = json!({ "by": scene.attacker.account.to_string(), "at": 1 });
        let note: Value = serde_json::from_value(note).unwrap();
        let path = "timeline.01930000-0000-7000-8000-00000000000e";
        scene
            .refused("a note", &saved(&scene.far, &[(path, Some(note))], false), "out_of_scope")
            .await;
    }
}

#[tokio::test]
async fn a_context_that_covers_what_its_writer_does_not_hold_removes_nothing() {
    let scene = Scene::of(Role::Chief).await;
    let mut without = saved(&scene.near, &[("title", Some(text("改")))], false);
    without.fields.remove("assignee").unwrap();
    scene.refused("the supervisor's field left out", &without, "not_allowed").await;
    let mut without = saved(&scene.near, &[("title", Some(text("改")))], false);
    without.fields.retain(|path, _| matches!(path.as_str(), "title"));
    scene.refused("all but one left out", &without, "invalid").await;
}

#[tokio::test]
async fn dots_and_context_entries_of_others_are_refused() {
    let scene = Scene::of(Role::Chief).await;
    // The stranger's replica is known to the town.
    let theirs = ReplicaId([0x53; 16]);
    let own = saved(
        &Record::new(RecordId::from_bytes([9; 16]), Kind::Hazard, scene.stranger.account),
        &[],
        false,
    );
    let mut first = Record { context: VersionVector::default(), ..own };
    let all: Vec<_> = hazard(GRID, "他的")
        .into_iter()
        .map(|(p, v)| {
            (p.parse::<FieldPath>().unwrap(), Change { replaces: Vec::new(), value: Some(v) })
        })
        .collect();
    first.put(&all.into_iter().collect(), Dot::new(theirs, 1));
    let taken = scene.push(&scene.stranger, &request(theirs, 1, &[&first])).await;
    assert_eq!(taken.json["verdicts"][0]["verdict"], "taken", "{}", taken.json);
    let town = scene.near.context.iter().next().unwrap().replica;
    let new = ReplicaId([0x4E; 16]);
    for (what, replica) in [("the stranger's", theirs), ("the town's", town), ("a new one", new)] {
        let mut ahead = saved(&scene.near, &[("title", Some(text("改")))], false);
        ahead.context.join_dot(Dot::new(replica, 1 << 50));
        scene.refused(&format!("{what}: a context entry"), &ahead, "foreign_dot").await;
        let mut forged = scene.near.clone();
        let path: FieldPath = "title".parse().unwrap();
        let change = Change { replaces: forged.dots("title"), value: Some(text("改")) };
        forged.put(&[(path, change)].into(), Dot::new(replica, 999_999));
        scene.refused(&format!("{what}: a dot"), &forged, "foreign_dot").await;
    }
    // Beyond what a counter can be: not even read.
    let before = scene.state();
    let pushed = saved(&scene.near, &[("title", Some(text("改")))], false);
    let mut body = serde_json::to_value(request(MINE, 1, &[&pushed])).unwrap();
    body["records"][0]["context"][0][1] = json!(1_u64 << 60);
    let body = body.to_string();
    let ask = Ask::new(&scene.town, "POST", "/v1/sync").body(body.as_bytes());
    assert_eq!(ask.proof(&scene.attacker, |_| {}).send().await.code(), (400, "bad_request"));
    assert_eq!(scene.state(), before);
}

#[tokio::test]
async fn kind_and_author_and_state_are_not_taken_over() {
    let scene = Scene::of(Role::Chief).await;
    let edited = saved(&scene.near, &[("title", Some(text("改")))], false);
    let kind = Record { kind: Kind::Patrol, ..edited.clone() };
    scene.refused("another kind", &kind, "identity_changed").await;
    let author = Record { created_by: scene.attacker.account, ..edited };
    scene.refused("another author", &author, "identity_changed").await;
    let closed = saved(&scene.near, &[("status", Some(text("closed")))], false);
    scene.refused("a status that is not theirs", &closed, "not_allowed").await;
    // In another's name.
    let blank = Record::new(RecordId::from_bytes([9; 16]), Kind::Hazard, scene.stranger.account);
    let all: Vec<_> = hazard(GRID, "冒名").into_iter().map(|(p, v)| (p, Some(v))).collect();
    scene.refused("a new one by another", &saved(&blank, &all, false), "identity_changed").await;
    // Nor does one who may change the status jump.
    let scene = Scene::of(Role::Supervisor).await;
    let closed = saved(&scene.near, &[("status", Some(text("closed")))], false);
    scene.refused("a status without a step", &closed, "step_not_allowed").await;
    let step = json!({ "step": { "from": "reported", "to": "closed" },
        "by": scene.attacker.account.to_string(), "at": 1 });
    let step: Value = serde_json::from_value(step).unwrap();
    let path = "timeline.01930000-0000-7000-8000-00000000000e";
    let jumped = [("status", Some(text("closed"))), (path, Some(step))];
    scene
        .refused("a step that is none", &saved(&scene.near, &jumped, false), "step_not_allowed")
        .await;
}

#[tokio::test]
async fn a_bent_proof_carries_no_record_in() {
    let scene = Scene::of(Role::Chief).await;
    let edited = saved(&scene.near, &[("title", Some(text("改")))], false);
    let body = serde_json::to_vec(&request(MINE, 1, &[&edited])).unwrap();
    let before = scene.state();
    let elsewhere = format!("{}/v1/reconcile", scene.town.url);
    let now = scene.town.town_time();
    type Bend = Box<dyn Fn(&mut Claims)>;
    let bends: Vec<(&str, Bend, &str)> = vec![
        ("stale", Box::new(move |c| c.iat = now - 301), "clock_skew"),
        ("of the future", Box::new(move |c| c.iat = now + 400), "clock_skew"),
        ("before all time", Box::new(|c| c.iat = i64::MIN), "clock_skew"),
        ("another body", Box::new(|c| c.bh = body_hash(b"x")), "unauthorised"),
        ("another method", Box::new(|c| c.htm = "PUT".to_owned()), "unauthorised"),
        ("another path", Box::new(move |c| c.htu.clone_from(&elsewhere)), "unauthorised"),
        ("another host", Box::new(|c| c.htu = "https://x/v1/sync".to_owned()), "unauthorised"),
    ];
    for (what, bend, code) in bends {
        let ask = Ask::new(&scene.town, "POST", "/v1/sync").body(&body);
        let answer = ask.proof(&scene.attacker, bend).send().await;
        assert_eq!(answer.code(), (401, code), "{what}");
        assert_eq!(scene.state(), before, "{what}");
    }
}

#[tokio::test]
async fn an_invite_used_by_many_at_once_enrols_one() {
    let scene = Scene::of(Role::Chief).await;
    let invite = scene.town.invite(scene.attacker.account, scene.town.address).await.unwrap();
    let code = invite.parse::<yaoguan_wire::Invite>().unwrap().code;
    let key = scene.attacker.key.public_pem().unwrap();
    let body = json!({ "protocol": 1, "code": code, "public_key": key, "device_name": "x" });
    let body = body.to_string();
    let ask = async || {
        Ask::new(&scene.town, "POST", "/v1/enrol").body(body.as_bytes()).send().await.status
    };
    let (a, b, c, d, e) = tokio::join!(ask(), ask(), ask(), ask(), ask());
    let mut statuses = [a, b, c, d, e];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410, 410, 410]);
}

#[tokio::test]
async fn a_revoked_phone_is_held_and_hears_nothing() {
    let scene = Scene::of(Role::Chief).await;
    scene.town.town.storage.with_raw(|c| {
        let sql = "UPDATE device SET revoked_at = 1 WHERE id = ?1";
        c.execute(sql, [scene.attacker.id.as_bytes()]).unwrap();
    });
    let edited = saved(&scene.near, &[("title", Some(text("改")))], false);
    let hash = canonical::hash(&canonical::encode(&scene.near));
    let answer = scene.push(&scene.attacker, &request(MINE, 1, &[&edited])).await;
    assert_eq!(answer.code(), (401, "device_revoked"));
    assert_eq!(answer.json["verdicts"][0]["verdict"], "held");
    let told = answer.json.as_object().unwrap();
    for key in ["feed", "cursor", "scope", "holds"] {
        assert!(!told.contains_key(key), "{key}");
    }
    let after = record(&scene.town, scene.near.id).await.unwrap();
    assert_eq!(canonical::hash(&canonical::encode(&after)), hash);
}

#[tokio::test]
async fn the_replica_and_the_cursor_of_another_are_of_no_use() {
    let scene = Scene::of(Role::Chief).await;
    let theirs = ReplicaId([0x53; 16]);
    let answer = scene.push(&scene.stranger, &request(theirs, 1, &[])).await;
    let cursor = answer.json["cursor"].as_str().unwrap().to_owned();
    assert!(answer.json.to_string().contains(CANARY), "the stranger reads both grids");
    let before = scene.state();
    let edited = saved(&scene.near, &[("title", Some(text("改")))], false);
    // Even who knows the chain of it.
    let answer = scene.push(&scene.attacker, &request(theirs, 1, &[&edited])).await;
    assert_eq!(answer.code(), (409, "replica_forked"));
    assert_eq!(scene.state(), before);
    let stolen = SyncRequest { cursor: Some(cursor), ..request(MINE, 1, &[]) };
    let answer = scene.push(&scene.attacker, &stolen).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["reconcile"], Json::Bool(true), "it starts again, by a reconciliation");
    assert!(!answer.json.to_string().contains(CANARY));
    assert_eq!(scene.state(), before);
}

#[tokio::test]
async fn a_hazard_that_leaves_its_writers_scope_is_taken_and_leaves_the_phone() {
    // A chief moves what another reported: the map may show it elsewhere. It is gone from the chief's phone.
    let scene = Scene::of(Role::Chief).await;
    let moved = saved(&scene.near, &[("grid", Some(text(OTHER_GRID)))], false);
    let answer = scene.push(&scene.attacker, &request(MINE, 1, &[&moved])).await;
    assert_eq!(answer.json["verdicts"][0]["verdict"], "taken_evict", "{}", answer.json);
    // A volunteer links an own report to a household that they cannot read: taken, and from then on not
    // theirs to read or change, nor is the link theirs to undo.
    let scene = Scene::of(Role::Volunteer).await;
    let blank = Record::new(RecordId::from_bytes([9; 16]), Kind::Hazard, scene.attacker.account);
    let mut fields = hazard(GRID, "自己的");
    fields.push(("household", text("01930000-0000-7000-8000-0000000000bb")));
    let all: Vec<_> = fields.into_iter().map(|(path, value)| (path, Some(value))).collect();
    let linked = saved(&blank, &all, false);
    let answer = scene.push(&scene.attacker, &request(MINE, 1, &[&linked])).await;
    assert_eq!(answer.json["verdicts"][0]["verdict"], "taken_evict", "{}", answer.json);
    let mut undone = linked.clone();
    let change = Change { replaces: undone.dots("household"), value: None };
    undone.put(&[("household".parse().unwrap(), change)].into(), Dot::new(MINE, 2));
    scene.refused("the link undone", &undone, "out_of_scope").await;
}
