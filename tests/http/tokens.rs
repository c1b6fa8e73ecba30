//! Tokens for tools: what one opens, what it does not, and when it ends.

use yaoguan_model::Role;
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_town::storage::Storage as _;
use yaoguan_wire::limits::{MAX_TOKENS, TOKEN_HOLDS_S};

use crate::{Ask, Device, device, device_of, empty_request};

const READ: &str = "/v1/records/hazard";

async fn token(town: &TestTown, device: &Device) -> String {
    let answer = Ask::new(town, "POST", "/v1/token").proof(device, |_| {}).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let left = answer.json["expires_at"].as_i64().unwrap() - town.town_time();
    assert!((TOKEN_HOLDS_S - 5..=TOKEN_HOLDS_S).contains(&left), "{left}");
    answer.json["token"].as_str().unwrap().to_owned()
}

async fn read(town: &TestTown, token: &str) -> (u16, String) {
    let answer = Ask::new(town, "GET", READ).bearer(token).send().await;
    (answer.status, answer.json["code"].as_str().unwrap_or_default().to_owned())
}

fn refused(code: &str) -> (u16, String) {
    (401, code.to_owned())
}

#[tokio::test]
async fn a_token_reads_until_it_runs_out() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let token = token(&town, &device).await;
    assert_eq!(token.len(), 43, "256 bits in base64url");
    assert_eq!(read(&town, &token).await.0, 200);
    town.clock.shift(TOKEN_HOLDS_S - 10);
    assert_eq!(read(&town, &token).await.0, 200);
    town.clock.shift(11);
    assert_eq!(read(&town, &token).await, refused("unauthorised"));
}

#[tokio::test]
async fn the_town_keeps_no_token_that_could_be_read_from_its_file() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let token = token(&town, &device).await;
    let kept = town.town.storage.with_raw(|c| {
        c.query_row("SELECT hash FROM token", [], |row| row.get::<_, Vec<u8>>(0)).unwrap()
    });
    assert_eq!(kept, yaoguan_town::people::hash_code(&token));
}

#[tokio::test]
async fn a_token_does_not_write_nor_reconcile_nor_make_tokens() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let token = token(&town, &device).await;
    let body = empty_request().to_string();
    for path in ["/v1/sync", "/v1/reconcile", "/v1/token"] {
        let ask = Ask::new(&town, "POST", path).body(body.as_bytes()).bearer(&token);
        let answer = ask.send().await;
        assert_eq!(answer.code(), (401, "unauthorised"), "{path}");
        assert!(answer.headers.contains_key("www-authenticate"));
    }
}

#[tokio::test]
async fn a_token_ends_with_its_device_and_its_account() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let (first, second) = (device_of(&town, account).await, device_of(&town, account).await);
    let (of_first, of_second) = (token(&town, &first).await, token(&town, &second).await);
    town.town.storage.with_raw(|c| {
        let sql = "UPDATE device SET revoked_at = 1 WHERE id = ?1";
        c.execute(sql, [first.id.as_bytes()]).unwrap();
    });
    assert_eq!(read(&town, &of_first).await, refused("device_revoked"));
    assert_eq!(read(&town, &of_second).await.0, 200, "another phone's token goes on");
    town.town.storage.with_raw(|c| {
        let sql = "UPDATE account SET disabled_at = 1 WHERE id = ?1";
        c.execute(sql, [account.as_bytes()]).unwrap();
    });
    assert_eq!(read(&town, &of_second).await, refused("account_disabled"));
}

#[tokio::test]
async fn a_token_has_the_scope_that_its_account_has_now() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let token = token(&town, &device).await;
    town.rescope(device.account, Role::Volunteer, &[GRID]);
    let made =
        crate::population::populate(&town, &[town.account(Role::Chief, &[GRID]).await.unwrap()])
            .await;
    let answer = Ask::new(&town, "GET", "/v1/records/household").bearer(&token).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(crate::population::seen(&answer.json.to_string(), &made).len(), 0);
}

#[tokio::test]
async fn a_further_token_beyond_the_limit_ends_the_oldest() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let mut tokens = Vec::new();
    for _ in 0..=MAX_TOKENS {
        tokens.push(token(&town, &device).await);
        town.clock.shift(1);
    }
    assert_eq!(read(&town, &tokens[0]).await, refused("unauthorised"));
    for token in &tokens[1..] {
        assert_eq!(read(&town, token).await.0, 200);
    }
}

#[tokio::test]
async fn what_is_no_token_opens_nothing() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    let token = token(&town, &device).await;
    let bent = [
        ("another", format!("Bearer {}", "A".repeat(43))),
        ("empty", "Bearer ".to_owned()),
        ("too short", "Bea".to_owned()),
        ("longer", format!("Bearer {token}A")),
        ("another scheme", format!("Basic {token}")),
        ("bare", token.clone()),
    ];
    for (what, value) in bent {
        let answer = Ask::new(&town, "GET", READ).header("authorization", &value).send().await;
        assert_eq!(answer.code(), (401, "unauthorised"), "{what}");
    }
    // The scheme's name has no case (RFC 9110 §11.1).
    let answer = Ask::new(&town, "GET", READ).header("authorization", &format!("bearer {token}"));
    assert_eq!(answer.send().await.status, 200);
}

#[tokio::test]
async fn a_request_that_asks_in_two_ways_is_refused() {
    let town = TestTown::start().await.unwrap();
    let (own, other) = (device(&town).await, device(&town).await);
    let token = token(&town, &other).await;
    let ask = Ask::new(&town, "GET", READ).proof(&own, |_| {}).bearer(&token);
    assert_eq!(ask.send().await.code(), (401, "unauthorised"));
    assert!(town.town.storage.device(own.id).await.unwrap().is_some());
}
