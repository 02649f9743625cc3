//! Work that ends when it is not allowed any more.
//!
//! A future and its end, which may move, go in; what came of it comes out, or nothing. Sends no request.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Does `work` as long as it is allowed, and not a step of it later; without an end, all of it. `end` is asked again at each step, for
/// a lease is renewed while a slow request is on its way. `tokio::time::timeout` polls the work first: a process that was stopped with
/// its connection half made woke, sent its request, and saw only then that its time was over.
pub(super) async fn while_allowed<T>(end: impl Fn() -> Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut over) = (pin!(work), pin!(tokio::time::sleep(Duration::ZERO)));
    poll_fn(|cx| {
        loop {
            let end = end();
            if end.is_some_and(|end| end <= Instant::now()) {
                return Poll::Ready(None);
            }
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            let Some(end) = end else { return Poll::Pending };
            over.as_mut().reset(end.into());
            if over.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_whose_time_is_over_takes_no_further_step() {
        let now = Instant::now();
        let mut steps = 0;
        assert_eq!(while_allowed(|| Some(now), async { steps += 1 }).await, None);
        assert_eq!(steps, 0);
        assert_eq!(while_allowed(|| None, async { 1 }).await, Some(1));
        let far = now.checked_add(Duration::from_secs(600));
        assert_eq!(while_allowed(|| far, async { 2 }).await, Some(2));
        // It wakes by itself.
        let end = Instant::now().checked_add(Duration::from_millis(1));
        assert_eq!(while_allowed(|| end, std::future::pending::<()>()).await, None);
    }

    /// F05: a webhook that takes longer than the lease does not cut a request off while the lease is renewed.
    #[tokio::test]
    async fn work_goes_on_while_its_end_moves_on() {
        let asked = std::cell::Cell::new(0);
        let end = || {
            asked.set(asked.get() + 1);
            Instant::now().checked_add(Duration::from_millis(if asked.get() < 5 { 1 } else { 0 }))
        };
        assert_eq!(while_allowed(end, std::future::pending::<()>()).await, None);
        assert!(asked.get() >= 5, "the end moved on {} times", asked.get());
    }
}
