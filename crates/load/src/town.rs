//! The town's real program in a folder of its own, with the demo town in it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use yaoguan_model::env::System;
use yaoguan_model::{Env as _, Role};
use yaoguan_town::audit::Attribution;
use yaoguan_town::people::{NewInvite, hash_code, new_code};
use yaoguan_town::storage::People as _;
use yaoguan_town::{Storage as _, demo};
use yaoguan_wire::Invite;

/// An invite is used within this time.
const INVITES_HOLD_S: i64 = 3600;

pub struct Town {
    child: Child,
    _dir: tempfile::TempDir,
}

/// One a phone.
pub struct Invites {
    pub chiefs: Vec<String>,
    pub supervisor: String,
}

/// What the town's process used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub cpu_ms: u64,
    pub peak_kib: u64,
}

/// `yaoguan-town` in the folder of this program.
pub fn beside_this_program() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("yaoguan-town"))
}

impl Town {
    /// Founds the demo town, serves it, and has invites for so many chiefs.
    pub async fn start(program: &Path, chiefs: u32) -> Result<(Self, Invites)> {
        let dir = tempfile::tempdir()?;
        let (data, key) = (dir.path().join("town"), dir.path().join("town.key"));
        let (codes, fingerprint) = found(&data, &key, chiefs).await?;
        let child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .arg("--key-file")
            .arg(&key)
            .env("YAOGUAN_TOWN_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let mut town = Self { child, _dir: dir };
        let mut line = String::new();
        let out = town.child.stdout.take().context("the town's output")?;
        BufReader::new(out).read_line(&mut line)?;
        let said: serde_json::Value =
            serde_json::from_str(&line).context("the town's first line")?;
        let url = said.get("listening").and_then(serde_json::Value::as_str);
        let url = url.context("the town says where it listens")?.to_owned();
        let invite = |code: String| {
            Invite { town: url.clone(), code, ca: Some(fingerprint.clone()) }.to_string()
        };
        let mut invites = codes.into_iter().map(invite);
        let supervisor = invites.next().context("a supervisor's invite")?;
        Ok((town, Invites { chiefs: invites.collect(), supervisor }))
    }

    /// Read from the kernel (proc(5)).
    pub fn usage(&self) -> Result<Usage> {
        let pid = self.child.id();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // Fields 14 and 15, counted from behind the name, which may hold anything.
        let after = stat.rsplit_once(')').context("proc stat")?.1;
        let ticks: u64 =
            after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.split_whitespace().next()).context("VmHWM")?;
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Usage { cpu_ms: ticks * 1_000 / per_second, peak_kib: peak.parse()? })
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The supervisor's code first; and the CA's fingerprint.
async fn found(data: &Path, key: &Path, chiefs: u32) -> Result<(Vec<String>, String)> {
    let town = yaoguan_town::Town::init(data, key, "姚关镇", true, &System).await?;
    let admin = demo::add_admin(&town.storage, &System).await?;
    demo::publish_template(&town.storage, admin, &System).await?;
    demo::fill(&town.storage, admin, &System).await?;
    let accounts = town.storage.accounts().await?;
    let supervisor = accounts.iter().filter(|account| account.whole_town).take(1);
    let mut of_chiefs: Vec<_> = accounts.iter().filter(|a| a.role == Role::Chief).collect();
    // Spread over the grids, whatever their number.
    of_chiefs.sort_by_key(|a| (a.name.chars().rev().take(2).collect::<String>(), a.name.clone()));
    let people = supervisor.chain(of_chiefs.into_iter().take(chiefs as usize));
    let now = System.now_s();
    let (mut codes, mut invites) = (Vec::new(), Vec::new());
    for account in people {
        let code = new_code(&System);
        let expires_at = now + INVITES_HOLD_S;
        invites.push(NewInvite { code_hash: hash_code(&code), account: account.id, expires_at });
        codes.push(code);
    }
    town.storage.add_invites(invites, Attribution::town(now)).await?;
    Ok((codes, town.ca.fingerprint()?))
}
