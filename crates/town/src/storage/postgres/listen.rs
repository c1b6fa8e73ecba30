//! Hears where the feed stands from every process that moves it.

use std::future::poll_fn;
use std::sync::Weak;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio_postgres::AsyncMessage;

use super::Inner;
use super::address::DatabaseUrl;
use crate::error::TownError;

/// The channel; a message is the town's key, a colon and the position.
pub(super) const CHANNEL: &str = "yaoguan_feed";
/// After a connection was lost.
const AGAIN: Duration = Duration::from_secs(2);

/// Listens as long as there is somebody to tell.
pub(super) async fn listen(url: DatabaseUrl, inner: Weak<Inner>) {
    while inner.strong_count() > 0 {
        if let Err(error) = once(&url, &inner).await {
            tracing::warn!(%error, "no news of the feed from other processes");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn once(url: &DatabaseUrl, inner: &Weak<Inner>) -> Result<(), TownError> {
    let (client, mut connection) = url.config.connect(url.tls()?).await?;
    let told = inner.clone();
    let heard = tokio::spawn(poll_fn(move |context| {
        loop {
            match ready!(connection.poll_message(context)) {
                Some(Ok(AsyncMessage::Notification(news))) => {
                    let Some(inner) = told.upgrade() else { return Poll::Ready(Ok(())) };
                    inner.hear(news.payload());
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(error)),
                None => return Poll::Ready(Ok(())),
            }
        }
    }));
    client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
    // What moved while nobody listened.
    if let Some(inner) = inner.upgrade() {
        inner.catch_up().await?;
    }
    match heard.await {
        Ok(ended) => Ok(ended?),
        Err(_) => Ok(()),
    }
}
