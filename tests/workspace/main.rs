//! The house holds together: which crate may know which (docs/ARCHITECTURE.md).

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeSet;
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Every crate below one, outside dev dependencies.
fn below(package: &str) -> BTreeSet<String> {
    let out = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(["-p", package])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Crates of the house below one, without itself.
fn own_below(package: &str) -> BTreeSet<String> {
    let own = |name: &String| name.starts_with("yaoguan-") && name != package;
    below(package)
        .into_iter()
        .filter(own)
        .map(|n| n.trim_start_matches("yaoguan-").to_owned())
        .collect()
}

#[test]
fn model_and_sync_know_no_runtime_no_database_no_http() {
    for package in ["yaoguan-model", "yaoguan-wire", "yaoguan-sync", "yaoguan-media"] {
        let all = below(package);
        for foreign in ["tokio", "rusqlite", "libsqlite3-sys", "reqwest", "hyper", "axum"] {
            assert!(!all.contains(foreign), "{package} reaches {foreign}");
        }
    }
}

#[test]
fn model_alone_is_pure() {
    let all = below("yaoguan-model");
    for foreign in ["getrandom", "chrono", "time"] {
        assert!(!all.contains(foreign), "yaoguan-model reaches {foreign}");
    }
}

#[test]
fn crates_know_only_what_the_architecture_allows() {
    let allowed: [(&str, &[&str]); 12] = [
        ("model", &[]),
        ("wire", &["model"]),
        ("sync", &["model", "wire"]),
        ("store", &["model", "wire", "sync"]),
        ("transport", &["model", "wire", "sync"]),
        ("exchange", &["model"]),
        ("media", &["model"]),
        ("field", &["model", "wire", "sync", "store", "transport", "exchange", "media"]),
        ("app", &["model", "wire", "sync", "store", "transport", "exchange", "field", "media"]),
        (
            "devserver",
            &["model", "wire", "sync", "store", "transport", "exchange", "field", "app", "media"],
        ),
        ("town", &["model", "wire", "sync", "exchange", "media", "transport"]),
        (
            "cli",
            &["model", "wire", "sync", "store", "transport", "exchange", "field", "town", "media"],
        ),
    ];
    for (name, allowed) in allowed {
        let found = own_below(&format!("yaoguan-{name}"));
        let foreign: Vec<_> = found.iter().filter(|n| !allowed.contains(&n.as_str())).collect();
        assert!(foreign.is_empty(), "yaoguan-{name} reaches {foreign:?}");
    }
}

#[test]
fn the_shell_knows_no_town_and_no_server() {
    let all = below("smart-yaoguan");
    for foreign in ["yaoguan-town", "yaoguan-devserver", "yaoguan-cli", "yaoguan-testkit", "axum"] {
        assert!(!all.contains(foreign), "smart-yaoguan reaches {foreign}");
    }
}

#[test]
fn the_testkit_is_in_no_product_crate() {
    for name in ["field", "town", "cli"] {
        assert!(!own_below(&format!("yaoguan-{name}")).contains("testkit"), "{name}");
    }
}
