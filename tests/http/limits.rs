//! How much one asker may ask, and what is said to it then.

use serde_json::json;
use yaoguan_testkit::town::TestTown;
use yaoguan_town::api::edges::{BY_DEVICE, WRONG_TRIES};

use crate::{Ask, device, empty_request};

#[tokio::test]
async fn a_device_that_asks_without_end_is_told_when_to_come_back() {
    let town = TestTown::start().await.unwrap();
    let (device, other) = (device(&town).await, device(&town).await);
    // One connection: what is counted is the device.
    let http = crate::http(&town);
    let url = format!("{}/v1/records/hazard", town.url);
    let mut refused = None;
    for _ in 0..BY_DEVICE.burst * 3 {
        let claims = yaoguan_wire::proof::Claims {
            htm: "GET".to_owned(),
            htu: url.clone(),
            iat: town.town_time(),
            bh: yaoguan_wire::proof::body_hash(&[]),
        };
        let proof = device.key.prove(device.id, &claims).unwrap();
        let response = http.get(&url).header("dpop", proof).send().await.unwrap();
        if response.status() != 200 {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("there is an end");
    assert_eq!(refused.status(), 429);
    let wait: i64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    let body: serde_json::Value = serde_json::from_slice(&refused.bytes().await.unwrap()).unwrap();
    assert_eq!((&body["code"], &body["retriable"]), (&json!("rate_limited"), &json!(true)));
    assert_eq!(body["retry_after_s"], wait);
    // Others of the same address go on, and so does it when it has waited.
    let ask = |device| Ask::new(&town, "GET", "/v1/records/hazard").proof(device, |_| {});
    assert_eq!(ask(&other).send().await.status, 200);
    town.clock.shift(wait);
    assert_eq!(ask(&device).send().await.status, 200);
}

#[tokio::test]
async fn whoever_guesses_invites_is_slowed_and_phones_go_on() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let key = device.key.public_pem().unwrap();
    let guess = |code: String| {
        json!({ "protocol": 1, "code": code, "public_key": key, "device_name": "x" }).to_string()
    };
    for n in 0..WRONG_TRIES.burst {
        let body = guess(format!("guess {n}"));
        let answer = Ask::new(&town, "POST", "/v1/enrol").body(body.as_bytes()).send().await;
        assert_eq!(answer.code(), (404, "invite_unknown"), "{n}");
    }
    let body = guess("one more".to_owned());
    let answer = Ask::new(&town, "POST", "/v1/enrol").body(body.as_bytes()).send().await;
    assert_eq!(answer.code(), (429, "rate_limited"));
    assert!(answer.headers.contains_key("retry-after"));
    let token = Ask::new(&town, "GET", "/v1/records/hazard").bearer("guess").send().await;
    assert_eq!(token.code(), (429, "rate_limited"));
    let body = empty_request().to_string();
    let sync = Ask::new(&town, "POST", "/v1/sync").body(body.as_bytes()).proof(&device, |_| {});
    assert_eq!(sync.send().await.status, 200);
    town.clock.shift(WRONG_TRIES.every_ms / 1000 + 1);
    let invite = town.invite(device.account, town.address).await.unwrap();
    let code = invite.parse::<yaoguan_wire::Invite>().unwrap().code;
    let answer = Ask::new(&town, "POST", "/v1/enrol").body(guess(code).as_bytes()).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

#[tokio::test]
async fn numbers_and_lists_beyond_their_limits_are_refused_with_a_code() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let bend = |path: &str, value: serde_json::Value| {
        let mut request = empty_request();
        *request.pointer_mut(path).unwrap() = value;
        request
    };
    let mut cases = vec![
        bend("/push/counter", json!(u64::MAX)),
        bend("/push/counter", json!(1_u64 << 53)),
        bend("/scope_version", json!(u64::MAX)),
        bend("/push/tokens", json!(vec!["AAAAAAAAAAAAAAAAAAAAAA"; 65])),
    ];
    for (list, count) in [("holds", 257), ("records", 1)] {
        let mut request = empty_request();
        let record = json!({ "id": "01a20baa-e572-73fc-8231-376a75240f79", "kind": "hazard",
            "created_by": "01a20baa-e572-73fc-8231-376a75240f79", "context": [], "writes": [] });
        let one = if list == "holds" { json!("AAAAAAAAAAAAAAAAAAAAAA") } else { record };
        request[list] = json!(vec![one; count]);
        cases.push(request);
    }
    for case in cases {
        let body = case.to_string();
        let ask = Ask::new(&town, "POST", "/v1/sync").body(body.as_bytes());
        let answer = ask.proof(&device, |_| {}).send().await;
        assert_eq!(answer.code(), (400, "bad_request"), "{body:.200} {}", answer.json);
    }
    // A clock is evidence: whatever it says, the phone is served.
    for clock in [i64::MIN, i64::MAX, 0] {
        let body = bend("/clock/device", json!(clock)).to_string();
        for _ in 0..2 {
            let ask = Ask::new(&town, "POST", "/v1/sync").body(body.as_bytes());
            assert_eq!(ask.proof(&device, |_| {}).send().await.status, 200, "{clock}");
        }
    }
}

#[tokio::test]
async fn what_content_type_says_is_not_looked_at() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let body = empty_request().to_string();
    for said in ["text/plain", "application/x-www-form-urlencoded", "nonsense"] {
        let ask = Ask::new(&town, "POST", "/v1/sync").body(body.as_bytes());
        let ask = ask.header("content-type", said).proof(&device, |_| {});
        assert_eq!(ask.send().await.status, 200, "{said}");
    }
}
