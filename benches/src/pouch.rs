//! PouchDB and express-pouchdb, each in a Node process of its own that is asked by lines of JSON.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::samples::Samples;

/// One Node process; ends with this value.
pub struct Node {
    _child: Child,
    ask: ChildStdin,
    hear: Lines<BufReader<ChildStdout>>,
}

impl Node {
    /// `mode` is `client` or `server`; its databases lie in `folder`.
    pub fn start(mode: &str, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/pouch.mjs");
        let mut child = Command::new("node")
            .args([script.as_ref(), mode.as_ref(), folder.as_os_str()])
            .current_dir(folder)
            .env("NODE_ENV", "production")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("node")?;
        let (ask, out) =
            (child.stdin.take().context("stdin")?, child.stdout.take().context("stdout")?);
        Ok(Self { _child: child, ask, hear: BufReader::new(out).lines() })
    }

    pub async fn ask(&mut self, request: Json) -> Result<Json> {
        self.ask.write_all(format!("{request}\n").as_bytes()).await?;
        loop {
            let line = self.hear.next_line().await?.context("node ended")?;
            // Libraries print their warnings between.
            let Ok(answer) = serde_json::from_str::<Json>(&line) else { continue };
            if answer["ok"] == true {
                return Ok(answer);
            }
            bail!("{}: {}", request["op"], answer["error"]);
        }
    }

    pub async fn ms(&mut self, request: Json) -> Result<f64> {
        self.ask(request).await?["ms"].as_f64().context("ms")
    }

    pub async fn times(&mut self, request: Json) -> Result<Samples> {
        let answer = self.ask(request).await?;
        let times = answer["times"].as_array().context("times")?;
        Ok(Samples(times.iter().filter_map(Json::as_f64).collect()))
    }

    pub async fn listen(&mut self) -> Result<u16> {
        let answer = self.ask(json!({ "op": "listen" })).await?;
        u16::try_from(answer["port"].as_u64().context("port")?).context("port")
    }

    /// Requests since the last time this was asked.
    pub async fn requests(&mut self) -> Result<f64> {
        self.ask(json!({ "op": "requests" })).await?["requests"].as_f64().context("requests")
    }
}
