//! Who asks: each bent proof or broken body is refused with a code, and the town goes on serving.

use yaoguan_testkit::town::TestTown;
use yaoguan_wire::limits::{MAX_DECODED_BYTES, MAX_WIRE_BYTES};
use yaoguan_wire::proof::body_hash;

use crate::{Device, device, empty_request, send};

fn code(body: &serde_json::Value) -> &str {
    body["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_good_proof_is_let_in() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let body = empty_request().to_string();
    let (status, answer) = send(&town, &device, body.as_bytes(), false, |_| {}).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn a_bent_proof_is_refused() {
    let town = TestTown::start().await.unwrap();
    let (own, other) = (device(&town).await, device(&town).await);
    let body = empty_request().to_string();
    let body = body.as_bytes();
    let swapped = send(&town, &own, body, false, |c| c.bh = body_hash(b"another body")).await;
    assert_eq!((swapped.0, code(&swapped.1)), (401, "unauthorised"));
    let method = send(&town, &own, body, false, |c| c.htm = "GET".to_owned()).await;
    assert_eq!(method.0, 401);
    let elsewhere =
        send(&town, &own, body, false, |c| c.htu = "https://else/v1/sync".to_owned()).await;
    assert_eq!(elsewhere.0, 401);
    let stolen = Device { id: own.id, account: own.account, key: other.key };
    let stolen = send(&town, &stolen, body, false, |_| {}).await;
    assert_eq!((stolen.0, code(&stolen.1)), (401, "unauthorised"));
}

#[tokio::test]
async fn a_wrong_clock_is_told_the_time() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let body = empty_request().to_string();
    for iat in [0, 4_102_444_800] {
        let (status, answer) = send(&town, &device, body.as_bytes(), false, |c| c.iat = iat).await;
        assert_eq!((status, code(&answer)), (401, "clock_skew"));
        assert!(answer["town_time"].as_i64().unwrap() > 1_700_000_000);
    }
}

#[tokio::test]
async fn a_revoked_device_is_told_so() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    town.town.storage.with_raw(|c| c.execute("UPDATE device SET revoked_at = 1", []).unwrap());
    let body = empty_request().to_string();
    let (status, answer) = send(&town, &device, body.as_bytes(), false, |_| {}).await;
    assert_eq!((status, code(&answer)), (401, "device_revoked"));
}

#[tokio::test]
async fn hostile_bodies_get_a_code_and_the_town_goes_on() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let bomb = zstd_of(&vec![b' '; MAX_DECODED_BYTES + 2]);
    assert!(bomb.len() < MAX_WIRE_BYTES);
    let mut float = empty_request();
    float["records"] = serde_json::json!([{
        "id": "01a20baa-e572-73fc-8231-376a75240f79", "kind": "hazard",
        "created_by": "01a20baa-e572-73fc-8231-376a75240f79",
        "context": [[0, 1]], "writes": [[0, 1, { "title": 1.5 }]],
    }]);
    let mut future = empty_request();
    future["protocol"] = 99.into();
    let bodies: [(&str, Vec<u8>, bool, u16); 11] = [
        ("too large", vec![b' '; 10 << 20], false, 413),
        ("deep, closed", [vec![b'['; 33], vec![b']'; 33]].concat(), false, 400),
        ("not json", b"{".to_vec(), false, 400),
        ("not zstd", b"hello".to_vec(), true, 400),
        ("a bomb", bomb, true, 413),
        ("deep", "[".repeat(100_000).into_bytes(), false, 400),
        ("wrong types", br#"{"protocol":"one"}"#.to_vec(), false, 400),
        ("NUL", b"\0\0\0".to_vec(), false, 400),
        ("lone surrogate", br#"{"cursor":"\ud800"}"#.to_vec(), false, 400),
        ("a fraction", float.to_string().into_bytes(), false, 400),
        ("the future", future.to_string().into_bytes(), false, 426),
    ];
    for (what, body, zstd, expected) in bodies {
        let (status, answer) = send(&town, &device, &body, zstd, |_| {}).await;
        assert_eq!(status, expected, "{what}: {answer}");
        assert!(!code(&answer).is_empty(), "{what}: {answer}");
    }
    let body = empty_request().to_string();
    assert_eq!(send(&town, &device, body.as_bytes(), false, |_| {}).await.0, 200);
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

#[tokio::test]
async fn a_cursor_of_another_account_starts_from_the_beginning() {
    let town = TestTown::start().await.unwrap();
    let (first, second) = (device(&town).await, device(&town).await);
    let body = empty_request().to_string();
    let (_, answer) = send(&town, &first, body.as_bytes(), false, |_| {}).await;
    let cursor = answer["cursor"].clone();
    assert!(cursor.is_string());
    let mut stolen = empty_request();
    stolen["cursor"] = cursor;
    stolen["epoch"] = answer["epoch"].clone();
    let (status, answer) = send(&town, &second, stolen.to_string().as_bytes(), false, |_| {}).await;
    assert_eq!(status, 200);
    assert!(!answer["feed"].as_array().unwrap().is_empty(), "the feed starts again");
}
