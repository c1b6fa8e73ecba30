//! The rows of photos and exports at the console, and of what maps are given.

use serde_json::json;
use yaoguan_town::api::routes::Route;

use super::{Asker, Heard, World};
use crate::population::Sort;

/// The rows of what maps are given.
pub(super) async fn ogc_rows(route: &Route, world: &World, asker: &Asker) -> Option<Heard> {
    let town = &world.town;
    let expected = asker.reads.is_some();
    let (mut said, mut allowed) = (String::new(), false);
    let told: &'static [Sort] = &[Sort::Patrol, Sort::Hazard, Sort::LinkedHazard];
    let sorts = match route.path {
        "/ogc/collections" => &[],
        "/ogc/collections/{collection}" => &[],
        "/ogc/collections/{collection}/items" => told,
        "/ogc/collections/{collection}/items/{id}" => told,
        _ => return None,
    };
    for collection in ["hazards", "patrol_lines"] {
        let path = route.path.replace("{collection}", collection);
        if !path.contains("{id}") {
            let query = if path.ends_with("/items") { "?limit=1000" } else { "" };
            let answer = asker.ask(town, "GET", &format!("{path}{query}"), &[]).await;
            allowed |= answer.status == 200;
            said += &answer.json.to_string();
            continue;
        }
        for marked in &world.all {
            let path = path.replace("{id}", &marked.id.to_string());
            let answer = asker.ask(town, "GET", &path, &[]).await;
            let there = answer.status == 200;
            let of_map = match collection {
                "hazards" => matches!(marked.sort, Sort::Hazard | Sort::LinkedHazard),
                _ => marked.sort == Sort::Patrol,
            };
            assert_eq!(there, of_map && asker.may_see(marked), "{} {path}", marked.canary);
            allowed |= there;
            said += &answer.json.to_string();
        }
    }
    Some(Heard { allowed, expected, said, sorts })
}

/// The rows of photos and exports: sessions are for supervisors.
pub(super) async fn console_rows(route: &Route, world: &World, asker: &Asker) -> Option<Heard> {
    let town = &world.town;
    let expected = asker.name == "supervisor";
    let ask =
        async |path: &str, body: &str| asker.ask(town, route.method, path, body.as_bytes()).await;
    let heard = match (route.method, route.path) {
        ("GET", "/console/v1/records/{id}/photos") => {
            let mut allowed = false;
            for marked in &world.all {
                let path = format!("/console/v1/records/{}/photos", marked.id);
                let there = ask(&path, "").await.status == 200;
                assert_eq!(there, expected && asker.may_see(marked), "{}", marked.canary);
                allowed |= there;
            }
            Heard { allowed, expected, said: String::new(), sorts: &[] }
        }
        ("GET", "/console/v1/blobs/{hash}") => {
            // Let in is who hears that nothing is there; what files tell stands in `photos`.
            let answer = ask("/console/v1/blobs/none", "").await;
            Heard { allowed: answer.status == 404, expected, said: String::new(), sorts: &[] }
        }
        ("POST", "/console/v1/exports/{file}") => {
            let (mut said, mut allowed) = (String::new(), false);
            let body = json!({ "reason": "月度汇总" }).to_string();
            for list in ["hazards", "patrols", "checks", "tasks"] {
                let path = format!("/console/v1/exports/{list}.csv");
                let answer = ask(&path, &body).await;
                allowed |= answer.status == 200;
                said += &String::from_utf8_lossy(&answer.bytes);
            }
            let sorts: &'static [Sort] =
                &[Sort::Patrol, Sort::Hazard, Sort::LinkedHazard, Sort::Check, Sort::Task];
            Heard { allowed, expected, said, sorts }
        }
        _ => return None,
    };
    Some(heard)
}
