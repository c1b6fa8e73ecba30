//! One thread that reads large bodies, beside those that serve everyone.
//!
//! One, so that what such bodies fill and leave is held once: each thread keeps freed memory of its own, and
//! a pool of them would hold the largest body as often as it has threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Aside(mpsc::Sender<Work>);

impl Default for Aside {
    fn default() -> Self {
        let (sender, work) = mpsc::channel::<Work>();
        std::thread::spawn(move || {
            for one in work {
                // Who waits for it hears that it came to nothing.
                _ = catch_unwind(AssertUnwindSafe(one));
            }
        });
        Self(sender)
    }
}

impl Aside {
    /// What the work gave; none when it panicked.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Option<R> {
        let (done, answer) = oneshot::channel();
        self.0.send(Box::new(move || _ = done.send(work()).is_ok())).ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Aside;

    #[tokio::test]
    async fn work_that_panics_comes_to_nothing_and_the_next_is_done() {
        let aside = Aside::default();
        assert_eq!(aside.run(|| 1).await, Some(1));
        assert_eq!(aside.run(|| panic!("on purpose")).await, None::<()>);
        assert_eq!(aside.run(|| 2).await, Some(2));
    }
}
