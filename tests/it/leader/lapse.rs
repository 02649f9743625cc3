//! M6: leadership that ran out and came back, with nobody else to take it.
//!
//! Takes one replica that is stopped until its lease is no longer its own, with a slot meanwhile; gives the slot's run.

use super::replicas;
use crate::harness::{Pace, until};
use jiff::{SignedDuration, Timestamp};
use punctual::clock::Clock;
use serde_json::json;

/// A yearly crontab of that second.
fn once_at(at: Timestamp) -> String {
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    format!("{} {} {} {} {} *", at.second(), at.minute(), at.hour(), at.day(), at.month())
}

/// M6
#[tokio::test(flavor = "multi_thread")]
async fn a_slot_of_a_time_in_which_nobody_led_is_started_by_the_same_leader() {
    let (world, replicas) = replicas("lapse", 1).await;
    let replica = &replicas[0];
    replica.until_it_leads(true).await;
    let seen = world.recorder().await;
    for round in 0..3 {
        let now = Clock::System.now().as_second();
        let slot = Timestamp::from_second(now + 3).expect("a time");
        let task = format!("round-{round}");
        world
            .task(
                &task,
                json!({"schedule": once_at(slot), "jobTemplate": {"spec": {"suspend": true}}}),
            )
            .await;
        world.settled(&task).await;
        replica.freeze();
        let over = slot + SignedDuration::try_from(Pace::SHORT.renew).expect("seconds") + SignedDuration::from_secs(1);
        until("the slot and the lease to be over", || async {
            (Clock::System.now() > over).then_some(())
        })
        .await;
        replica.thaw();
        world.status(&task, "its slot to be started", |status| status.started == 1).await;
    }
    seen.assert_once().await;
    assert_eq!(world.holder().await.as_deref(), Some("replica-0"));
}
