//! The larger storage: PostgreSQL, many towns in one database, many processes on one town.
//!
//! Statements are those of [`super::sqlite`]; here is what runs them: a pool of connections, a transaction of
//! one town, schema and address. Writers of a town wait for each other at an advisory lock, so that what the
//! statements read stays so until they have written; other towns of the database go on beside them. A commit
//! whose answer was lost is [`TownError::Away`], which a phone hears as "busy" and asks again on; the push chain
//! makes of the second push what the first one was. A database that was put back to an earlier moment is noticed
//! ([`line`]).

mod address;
mod dialect;
mod examine;
mod line;
mod listen;
mod migrations;
mod session;
mod take_in;
mod values;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use yaoguan_model::Env;
use yaoguan_model::env::System;

pub use address::DatabaseUrl;
pub use examine::examine;
pub(crate) use take_in::Coming;
pub use take_in::TakenIn;

use super::sql::{Connection, Engine, OptionalExtension as _, Transaction};
use super::sqlite::{audit, identity};
use crate::audit::anchor::Anchor;
use crate::audit::{Attribution, restored};
use crate::error::TownError;
use session::{Purpose, Session, Statements};

/// Connections of one process.
const CONNECTIONS: usize = 16;
/// How long a request waits for one.
const WAIT: Duration = Duration::from_secs(30);
/// How often a transaction is begun again that another one was in the way of.
const TRIES: u32 = 5;

/// The storage of one town. Cheap to clone.
#[derive(Clone)]
pub struct Postgres {
    inner: Arc<Inner>,
    /// Ends with the last clone.
    _listener: Arc<Listener>,
}

struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Inner {
    url: DatabaseUrl,
    pool: Pool,
    /// Where connections live, whichever runtime asks.
    runtime: Handle,
    town: i64,
    /// One writer of this process waits in the database; others wait here and leave connections to readers.
    writer: Mutex<()>,
    statements: Arc<Statements>,
    head: watch::Sender<u64>,
    /// Where heads of the audit log are noted.
    anchor: Option<Anchor>,
    outside: line::Outside,
}

/// Where heads of the audit log are noted, and the key of their seals.
pub type Heads<'a> = Option<(&'a Path, &'a [u8; 32])>;

impl Postgres {
    /// Opens a town of the database.
    pub async fn open(url: &DatabaseUrl, heads: Heads<'_>) -> Result<Self, TownError> {
        let pool = ready(url).await?;
        let client = client(&pool).await?;
        let sql = "SELECT town FROM town_key WHERE name = $1";
        let missing = || TownError::Missing(url.to_string().into());
        let row = client.query_opt(sql, &[&url.town]).await?.ok_or_else(missing)?;
        drop(client);
        let this = Self::of(url, pool, row.try_get("town")?, heads);
        if !this.read(is_founded).await? {
            return Err(missing());
        }
        this.inner.catch_up().await?;
        Ok(this)
    }

    /// Makes a town in the database.
    pub async fn found(
        url: &DatabaseUrl,
        name: &str,
        demo: bool,
        env: &dyn Env,
        heads: Heads<'_>,
    ) -> Result<Self, TownError> {
        let this = Self::keyed(url, ready(url).await?, heads).await?;
        let (name, now, id) = (name.to_owned(), env.now_s(), env.random_16());
        let fresh = identity::Fresh::new(env);
        let made = this
            .write(move |tx| {
                if is_founded(tx)? {
                    return Ok(false);
                }
                identity::found(tx, (id, &name, demo), &fresh, now)?;
                Ok(true)
            })
            .await?;
        if made { Ok(this) } else { Err(TownError::Exists(url.to_string().into())) }
    }

    /// With the key of a town that may not be founded yet.
    async fn keyed(url: &DatabaseUrl, pool: Pool, heads: Heads<'_>) -> Result<Self, TownError> {
        let client = client(&pool).await?;
        // A town that was begun and not finished has a key and no row.
        let sql = "INSERT INTO town_key (name) VALUES ($1) \
             ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING town";
        let town = client.query_one(sql, &[&url.town]).await?.try_get("town")?;
        drop(client);
        Ok(Self::of(url, pool, town, heads))
    }

    fn of(url: &DatabaseUrl, pool: Pool, town: i64, heads: Heads<'_>) -> Self {
        let inner = Arc::new(Inner {
            url: url.clone(),
            pool,
            runtime: Handle::current(),
            town,
            writer: Mutex::default(),
            statements: Arc::default(),
            head: watch::Sender::new(0),
            anchor: heads.map(|(file, key)| Anchor::new(file, key)),
            outside: line::Outside::default(),
        });
        let listener = tokio::spawn(listen::listen(url.clone(), Arc::downgrade(&inner)));
        Self { inner, _listener: Arc::new(Listener(listener)) }
    }

    /// What a line of history starts with.
    pub(crate) fn fresh_line(env: &dyn Env) -> identity::Fresh {
        identity::Fresh::new(env)
    }

    /// What the town is called by programs, whatever its line of history.
    pub async fn town_id(&self) -> Result<Vec<u8>, TownError> {
        self.read(identity::town_id).await
    }

    /// After much was written at once: the planner counts anew, before the server does by itself.
    pub async fn settle(&self) -> Result<(), TownError> {
        let pool = self.inner.pool.clone();
        let settled = self.inner.runtime.spawn(async move {
            client(&pool).await?.batch_execute("ANALYZE").await.map_err(TownError::from)
        });
        settled.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// A connection that may write, for tests that plant faults. They do not await it: it has a runtime of its
    /// own.
    #[doc(hidden)]
    #[allow(clippy::expect_used, reason = "for tests")]
    pub fn with_raw<R: Send>(&self, work: impl FnOnce(&Connection<'_>) -> R + Send) -> R {
        let inner = &self.inner;
        let raw = move || {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
            let object = runtime.block_on(async { client(&pool(&inner.url)?).await });
            let object = (object.expect("a connection"), runtime.handle().clone());
            let session = Session::begin(object, Arc::default(), inner.town, Purpose::Write);
            let session = session.expect("a transaction");
            let result = work(&Connection::of(&session));
            session.commit().expect("a commit");
            result
        };
        std::thread::scope(|scope| scope.spawn(raw).join().expect("what a test does"))
    }

    /// Runs `work` once in a transaction.
    async fn once<R, W>(&self, purpose: Purpose, work: W) -> (Result<R, TownError>, W)
    where
        R: Send + 'static,
        W: Fn(&Session) -> Result<R, TownError> + Send + 'static,
    {
        let inner = &self.inner;
        // Connections live on the runtime that the town was opened on.
        let pool = inner.pool.clone();
        let object = match inner.runtime.spawn(async move { client(&pool).await }).await {
            Ok(Ok(object)) => object,
            Ok(Err(error)) => return (Err(error), work),
            Err(_) => return (Err(stopping()), work),
        };
        let (runtime, statements, town) =
            (inner.runtime.clone(), Arc::clone(&inner.statements), inner.town);
        let ran = tokio::task::spawn_blocking(move || {
            let result =
                Session::begin((object, runtime), statements, town, purpose).and_then(|session| {
                    match work(&session) {
                        Ok(result) => session.commit().map(|()| result),
                        Err(error) => {
                            session.roll_back();
                            Err(error)
                        }
                    }
                });
            (result, work)
        });
        match ran.await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends: nobody hears this.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Runs `work` until no other transaction is in its way.
    async fn repeatedly<R, W>(&self, purpose: Purpose, mut work: W) -> Result<R, TownError>
    where
        R: Send + 'static,
        W: Fn(&Session) -> Result<R, TownError> + Send + 'static,
    {
        let mut tries = 1;
        loop {
            let (result, again) = self.once(purpose, work).await;
            let Err(TownError::Postgres(error)) = &result else { return result };
            if !is_in_the_way(error) {
                return result;
            }
            if tries >= TRIES {
                return Err(TownError::Away(error.to_string()));
            }
            tracing::info!(tries, "a transaction is begun again");
            (tries, work) = (tries + 1, again);
        }
    }
}

impl Postgres {
    /// Runs `work` after every other write of the town, tells of the feed and notes the head of the log.
    async fn commit<R: Send + 'static>(
        &self,
        work: impl Fn(&Transaction<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        let _turn = self.inner.writer.lock().await;
        let inner = Arc::clone(&self.inner);
        let (result, here, head) = self
            .repeatedly(Purpose::Write, move |session| {
                let tx = Transaction::of(session);
                let result = work(&tx)?;
                let head = if inner.anchor.is_some() { audit::head(&tx)? } else { None };
                let here = identity::here(&tx)?;
                let position = here.position;
                if *inner.head.borrow() != position {
                    let news = format!("{}:{position}", inner.town);
                    tx.query_row("SELECT pg_notify(?1, ?2)", (listen::CHANNEL, news), |_| Ok(()))?;
                }
                Ok((result, here, head))
            })
            .await?;
        self.inner.outside.saw(here);
        self.inner.move_to(here.position);
        if let (Some(anchor), Some(head)) = (&self.inner.anchor, head) {
            anchor.follow(head);
        }
        Ok(result)
    }
}

/// Nothing of the transaction is there, and the next one may fare better.
fn is_in_the_way(error: &tokio_postgres::Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
        || code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
}

fn stopping() -> TownError {
    TownError::Away("the town is stopping".to_owned())
}

fn is_founded(connection: &Connection) -> Result<bool, TownError> {
    Ok(connection.query_row("SELECT one FROM town", [], |_| Ok(())).optional()?.is_some())
}

async fn client(pool: &Pool) -> Result<Object, TownError> {
    pool.get().await.map_err(|error| {
        if let PoolError::Backend(error) = error {
            error.into()
        } else {
            TownError::Away(error.to_string())
        }
    })
}

/// A pool on a database that this program knows the schema of, by a role that sees one town at a time.
async fn ready(url: &DatabaseUrl) -> Result<Pool, TownError> {
    let pool = pool(url)?;
    let mut first = client(&pool).await?;
    let sql = "SELECT rolsuper OR rolbypassrls AS above FROM pg_roles WHERE rolname = current_user";
    if first.query_one(sql, &[]).await?.try_get("above")? {
        let what = "this role of the database sees every town at once (superuser or BYPASSRLS): make one \
             that owns the database and nothing more";
        return Err(TownError::Input(what.to_owned()));
    }
    migrations::apply(&mut first).await?;
    Ok(pool)
}

fn pool(url: &DatabaseUrl) -> Result<Pool, TownError> {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(url.config.clone(), url.tls()?, recycling);
    let timeouts = Timeouts { wait: Some(WAIT), create: Some(WAIT), recycle: Some(WAIT) };
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|e| TownError::Input(e.to_string()))
}

impl Engine for Postgres {
    async fn read<R: Send + 'static>(
        &self,
        work: impl Fn(&Connection<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        self.repeatedly(Purpose::Read, move |session| work(&Connection::of(session))).await
    }

    async fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&Transaction<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        let inner = Arc::clone(&self.inner);
        let checked = move |tx: &Transaction<'_>| {
            let is_continued = inner.outside.is_continued_by(tx)?;
            if is_continued { work(tx).map(Some) } else { Ok(None) }
        };
        if let Some(result) = self.commit(checked).await? {
            return Ok(result);
        }
        self.renew_line(&System).await?;
        Err(TownError::Away("the database was put back to an earlier moment".to_owned()))
    }

    /// PostgreSQL's log is the operator's (docs/OPERATIONS).
    async fn forget_log(&self) -> Result<(), TownError> {
        Ok(())
    }

    async fn renew_line(&self, env: &dyn Env) -> Result<(), TownError> {
        let fresh = identity::Fresh::new(env);
        let left = self.anchor().map(Anchor::read).transpose()?.unwrap_or_default();
        let entry = restored(&Attribution::town(env.now_s()), left.last());
        self.commit(move |tx| {
            line::keep(tx)?;
            identity::renew(tx, &fresh, &entry)
        })
        .await?;
        self.inner.outside.forget();
        tracing::warn!("a new line of history: every phone compares itself with the town once");
        Ok(())
    }

    fn anchor(&self) -> Option<&Anchor> {
        self.inner.anchor.as_ref()
    }

    fn moves(&self) -> watch::Receiver<u64> {
        self.inner.head.subscribe()
    }
}

impl Inner {
    fn move_to(&self, position: u64) {
        self.head.send_if_modified(|seen| {
            let is_news = *seen < position;
            *seen = position.max(*seen);
            is_news
        });
    }

    /// What another process said of the feed.
    fn hear(&self, news: &str) {
        let parts = news.split_once(':').map(|(town, at)| (town.parse::<i64>(), at.parse::<u64>()));
        if let Some((Ok(town), Ok(position))) = parts
            && self.town == town
        {
            self.move_to(position);
        }
    }

    /// Looks where the feed stands.
    async fn catch_up(&self) -> Result<(), TownError> {
        let mut client = client(&self.pool).await?;
        let tx = client.transaction().await?;
        let sql = "SELECT set_config('yaoguan.town', $1, true)";
        tx.query_one(sql, &[&self.town.to_string()]).await?;
        let row = tx.query_opt("SELECT position FROM feed_head", &[]).await?;
        tx.commit().await?;
        if let Some(row) = row {
            let position: i64 = row.try_get("position")?;
            self.move_to(u64::try_from(position).unwrap_or_default());
        }
        Ok(())
    }
}
