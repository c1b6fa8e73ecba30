//! A PostgreSQL of one's own: a throw-away cluster on a free port, with a role that owns its databases and is
//! no more than that.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};
use yaoguan_town::storage::postgres::DatabaseUrl;

/// Who starts the cluster when this is root, whom PostgreSQL refuses.
const USER: &str = "postgres";

/// The end of a wait for the log.
const ARCHIVES: std::time::Duration = std::time::Duration::from_secs(120);

/// A cluster that runs. Stops, and is gone, with the value.
pub struct Cluster {
    dir: TempDir,
    port: u16,
    databases: AtomicU32,
}

impl Cluster {
    /// A new cluster in a temporary folder.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with("").await
    }

    /// The same with settings (`-c name=value …`).
    pub async fn start_with(settings: &str) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777))?;
        let data = dir.path().join("data");
        let made = program("initdb")?
            .args([
                "-U",
                "root",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .output()?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let this = Self { dir, port, databases: AtomicU32::new(0) };
        this.run(settings)?;
        this.as_root("postgres").await?.batch_execute("CREATE ROLE town LOGIN").await?;
        Ok(this)
    }

    /// Starts the server on the cluster's folder.
    pub fn run(&self, settings: &str) -> anyhow::Result<()> {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off {settings}",
            self.port,
            self.dir.path().display()
        );
        let log = self.dir.path().join("log");
        let started = program("pg_ctl")?
            .args(["-w", "-t", "120", "-o", &options, "-D"])
            .arg(self.data())
            .arg("-l")
            .arg(&log)
            .arg("start")
            .status()?;
        ensure!(started.success(), "pg_ctl: {}", std::fs::read_to_string(&log).unwrap_or_default());
        Ok(())
    }

    /// Stops the server as a crash does.
    pub fn kill(&self) -> anyhow::Result<()> {
        let mut stop = program("pg_ctl")?;
        stop.args(["-w", "-m", "immediate", "-D"]).arg(self.data()).arg("stop");
        ensure!(stop.output()?.status.success(), "pg_ctl stop");
        Ok(())
    }

    /// Keeps the log from now on, and takes a copy to begin from.
    pub async fn keep(&self) -> anyhow::Result<()> {
        let wal = self.dir.path().join("wal");
        std::fs::create_dir(&wal)?;
        std::fs::set_permissions(&wal, std::fs::Permissions::from_mode(0o777))?;
        let keep = format!("ALTER SYSTEM SET archive_command = 'cp %p {}/%f'", wal.display());
        let root = self.as_root("postgres").await?;
        root.batch_execute(&keep).await?;
        root.batch_execute("SELECT pg_reload_conf()").await?;
        let port = self.port.to_string();
        let mut copy = program("pg_basebackup")?;
        copy.args(["-h", "127.0.0.1", "-U", "root", "-c", "fast", "-p", &port, "-D"]);
        let copied = copy.arg(self.dir.path().join("base")).output()?;
        ensure!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        Ok(())
    }

    /// Stops as a crash does, and starts from the copy as it was at a time.
    pub async fn recover(&self, until: &str) -> anyhow::Result<()> {
        let root = self.as_root("postgres").await?;
        let sql = "SELECT pg_walfile_name(pg_switch_wal()) AS file";
        let file: String = root.query_one(sql, &[]).await?.try_get("file")?;
        let kept = self.dir.path().join("wal").join(file);
        tokio::time::timeout(ARCHIVES, async {
            while !kept.exists() {
                tokio::task::yield_now().await;
            }
        })
        .await?;
        self.kill()?;
        let script = format!(
            "set -e; cd {}; mv data lost; mv base data; touch data/recovery.signal; \
             echo \"restore_command = 'cp $PWD/wal/%f %p'\" >>data/postgresql.auto.conf; \
             echo \"recovery_target_time = '{until}'\" >>data/postgresql.auto.conf; \
             echo \"recovery_target_action = promote\" >>data/postgresql.auto.conf",
            self.dir.path().display()
        );
        let put = program("sh")?.args(["-c", &script]).output()?;
        ensure!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
        self.run("")?;
        let root = self.as_root("postgres").await?;
        let sql = "SELECT pg_is_in_recovery() AS still";
        tokio::time::timeout(ARCHIVES, async {
            while root.query_one(sql, &[]).await?.try_get("still")? {
                tokio::task::yield_now().await;
            }
            anyhow::Ok(())
        })
        .await?
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A new database that the role `town` owns; the address of its town.
    pub async fn database(&self) -> anyhow::Result<DatabaseUrl> {
        let name = format!("county_{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let root = self.as_root("postgres").await?;
        root.batch_execute(&format!("CREATE DATABASE {name} OWNER town")).await?;
        Ok(self.url(&name, "yaoguan"))
    }

    /// The address of a town of a database.
    pub fn url(&self, database: &str, town: &str) -> DatabaseUrl {
        self.address(database, town).parse().expect("an address")
    }

    /// The same as it is typed.
    pub fn address(&self, database: &str, town: &str) -> String {
        format!("postgres://town@127.0.0.1:{}/{database}?town={town}", self.port)
    }

    /// Whoever sees everything.
    pub async fn as_root(&self, database: &str) -> anyhow::Result<Client> {
        let address = format!("host=127.0.0.1 port={} user=root dbname={database}", self.port);
        let (client, connection) = tokio_postgres::connect(&address, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        _ = self.kill();
    }
}

/// A program of PostgreSQL's, run by somebody who is not root.
pub fn program(name: &str) -> anyhow::Result<Command> {
    let found = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .chain(versions())
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
        .with_context(|| format!("there is no {name}: apt-get install postgresql"))?;
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = if is_root {
        let mut command = Command::new("runuser");
        command.args(["-u", USER, "--"]).arg(found);
        command
    } else {
        Command::new(found)
    };
    command.current_dir("/");
    Ok(command)
}

/// Debian keeps PostgreSQL's programs by version.
fn versions() -> Vec<PathBuf> {
    let dirs = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    dirs.map(|dir| dir.path().join("bin")).collect()
}
