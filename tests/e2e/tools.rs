//! Tools that read in a person's name, with a token that a phone had made.

use serde_json::Value;
use yaoguan_transport::{Trust, client};

use crate::GRID;
use crate::town::Town;

#[test]
fn a_tool_reads_with_the_token_that_a_phone_gives_it() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    let grid = format!("grid={GRID}");
    let id = phone.add("hazard", &["category=fire", "severity=general", &grid]);
    phone.sync();
    let given = phone.ok(&["token"]);
    let text = |key: &str| given[key].as_str().unwrap().to_owned();
    assert_eq!(text("url"), town.url);
    assert!(given["expires_at"].is_i64(), "{given}");
    let http = client(Trust::Ca(text("ca_pem"))).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let read = runtime.block_on(async {
        let url = format!("{}/v1/records/hazard", text("url"));
        let response = http.get(url).bearer_auth(text("token")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).unwrap()
    });
    assert_eq!(read["records"][0]["id"], id.as_str());
    // In words: the token alone on the first line, then what it is good for.
    for (lang, word) in [("zh", "15 分钟"), ("en", "15 minutes")] {
        let said = phone.say(lang, &["token"]);
        assert_eq!(said.code, Some(0), "{said}");
        assert_eq!(said.out.lines().next().unwrap().len(), 43, "{said}");
        assert!(said.out.contains(word), "{said}");
    }
    let log = town.ok(&["audit", "list"]).to_string();
    assert!(log.contains("token_made"), "{log}");
    assert!(!log.contains(&text("token")), "the log never holds a token");
}
