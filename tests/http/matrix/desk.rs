//! The rows of a supervisor's daily work.

use serde_json::{Value, json};
use yaoguan_testkit::town::{GRID, OTHER_GRID};
use yaoguan_town::api::routes::Route;

use super::{Asker, Heard, World};
use crate::population::{Marked, Sort};

/// The matrix's rows of this work's routes.
pub(super) async fn console_rows(route: &Route, world: &World, asker: &Asker) -> Option<Heard> {
    let expected = asker.name == "supervisor";
    let ask = async |path: &str, body: &str| {
        asker.ask(&world.town, route.method, path, body.as_bytes()).await
    };
    let heard = match (route.method, route.path) {
        ("GET", "/console/v1/waiting" | "/console/v1/daily") => {
            let answer = ask(route.path, "").await;
            let (allowed, said) = (answer.status == 200, answer.json.to_string());
            Heard { allowed, expected, said, sorts: &[Sort::Hazard, Sort::LinkedHazard] }
        }
        ("GET", "/console/v1/tasks") => {
            let answer = ask(route.path, "").await;
            let (allowed, said) = (answer.status == 200, answer.json.to_string());
            Heard { allowed, expected, said, sorts: &[Sort::Task] }
        }
        ("POST", "/console/v1/tasks") => {
            let other = json!({ "what": "other", "words": "x", "grid": OTHER_GRID }).to_string();
            let foreign = ask(route.path, &other).await;
            assert_ne!(foreign.status, 200, "a task into somebody else's grid");
            let own = json!({ "what": "other", "words": "x", "grid": GRID }).to_string();
            let answer = ask(route.path, &own).await;
            let (allowed, said) = (answer.status == 200, answer.json.to_string());
            Heard { allowed, expected, said, sorts: &[] }
        }
        ("POST", "/console/v1/decisions") => {
            // Each record is its own: what is not theirs is not there.
            let of =
                |marked: &Marked| json!({ "id": marked.id, "from": "reported", "replaces": [] });
            let shown: Vec<Value> = world.all.iter().take(100).map(of).collect();
            let body = json!({ "to": "verified", "records": shown }).to_string();
            let answer = ask(route.path, &body).await;
            for (verdict, marked) in
                answer.json["verdicts"].as_array().into_iter().flatten().zip(&world.all)
            {
                let there = verdict["code"] != "not_found";
                assert_eq!(there, asker.may_see(marked), "{}", marked.canary);
            }
            Heard {
                allowed: answer.status == 200,
                expected,
                said: answer.json.to_string(),
                sorts: &[],
            }
        }
        ("POST", "/console/v1/views") => {
            let answer = ask(route.path, &json!({ "name": "x", "query": "" }).to_string()).await;
            let (allowed, said) = (answer.status == 200, answer.json.to_string());
            Heard { allowed, expected, said, sorts: &[] }
        }
        ("DELETE", "/console/v1/views/{id}") => {
            let answer = ask("/console/v1/views/none", "").await;
            let (allowed, said) = (answer.status == 404, answer.json.to_string());
            Heard { allowed, expected, said, sorts: &[] }
        }
        _ => return None,
    };
    Some(heard)
}
