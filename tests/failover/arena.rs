//! A group of replicas, the tasks that they look after, and the faults that befall whoever leads.
//!
//! Takes a pace and faults, gives the books of what happened. Never counts: `books` does.

use crate::books::{Books, Change};
use crate::clock::WallClock;
use crate::fault::{Kind, moment};
use crate::harness::{Link, Pace, Replica, World, until};
use crate::witness::Witness;
use jiff::{SignedDuration, Timestamp};
use kube::api::ListParams;
use punctual::api::ScheduledTaskStatus;
use punctual::clock::Clock;
use serde_json::json;
use std::time::Duration;

/// Policy and seconds between slots. All have a slot at each [`COMMON`] seconds.
pub const TASKS: [(&str, i64); 4] = [("Allow", 2), ("Forbid", 3), ("Replace", 3), ("Queue", 6)];
pub const COMMON: i64 = 6;
/// How far the next leader's books are past the fault before a frozen one wakes: longer than three Jobs are kept.
const PAST: SignedDuration = SignedDuration::from_secs(9);

pub struct Arena {
    world: World,
    pace: Pace,
    replicas: Vec<Replica>,
    clocks: Vec<WallClock>,
    witness: Witness,
    changes: Vec<Change>,
}

fn now() -> Timestamp {
    Clock::System.now()
}

async fn wait_for(moment: Timestamp) {
    let left = moment.duration_since(now());
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
}

/// The next second but one at which all tasks have a slot.
fn next_common() -> Timestamp {
    let soon = now().as_second() + 1;
    Timestamp::from_second(soon + COMMON - soon.rem_euclid(COMMON)).unwrap()
}

impl Arena {
    pub async fn new(pace: Pace, group: usize, replicas: usize) -> Arena {
        let name = if pace == Pace::SHORT { "short" } else { "default" };
        let world = World::on(crate::cluster, &format!("{name}-{group}")).await;
        world.allow_tasks().await;
        world.allow_lease().await;
        let witness = Witness::start(world.jobs(), world.tasks());
        for (policy, period) in TASKS {
            let mut spec = json!({"schedule": format!("*/{period} * * * * *"), "concurrencyPolicy": policy,
                "missedRunPolicy": "All", "missedRunLimit": 100});
            if policy == "Queue" {
                spec["queueLimit"] = json!(100);
            }
            world.task(&policy.to_lowercase(), spec).await;
        }
        let mut arena = Arena {
            replicas: Vec::new(),
            clocks: Vec::new(),
            changes: Vec::new(),
            world,
            pace,
            witness,
        };
        for number in 0..replicas {
            let clock = WallClock::new();
            let mut replica = Replica::new(&arena.world, crate::cluster(), &format!("replica-{number}"), pace).await;
            for (name, value) in clock.env() {
                replica = replica.with_env(name, value);
            }
            replica.start_ready().await;
            arena.replicas.push(replica);
            arena.clocks.push(clock);
        }
        for (policy, _) in TASKS {
            arena.world.settled(&policy.to_lowercase()).await;
        }
        arena
    }

    fn index(&self, identity: &str) -> usize {
        let found = self.replicas.iter().position(|replica| replica.identity == identity);
        found.expect("one of ours holds the lease")
    }

    /// Somebody holds the lease and says that it leads. On a machine that is busy leadership changes by itself as well.
    async fn leader(&self, but: Option<&str>) -> usize {
        until("somebody to lead", || async {
            let holder = self.world.holder().await.filter(|holder| Some(holder.as_str()) != but)?;
            let index = self.index(&holder);
            self.replicas[index].leads().then_some(index)
        })
        .await
    }

    /// Another slot than those of now is accounted for.
    async fn work_goes_on(&self) {
        let accounted = |status: &ScheduledTaskStatus| status.accounted_until.as_ref().map(|until| until.0);
        let now = self.world.tasks().get("allow").await.expect("the task").status;
        let now = now.as_ref().and_then(accounted);
        self.world
            .status("allow", "a slot of the next leader", |status| accounted(status) > now)
            .await;
    }

    /// Takes leadership from whoever has it, in the second of a slot, and waits until another has it and all is well again.
    pub async fn change(&mut self, kind: Kind, number: usize) {
        let old = self.leader(None).await;
        let identity = self.replicas[old].identity.clone();
        wait_for(next_common() + SignedDuration::from_millis(moment(number))).await;
        let mut change = Change {
            kind,
            number,
            old: self.replicas[old].user.clone(),
            at: now(),
            left: None,
        };
        match kind {
            Kind::Killed => self.replicas[old].kill(),
            Kind::Stopped => {
                self.replicas[old].ask_to_stop();
                let code = self.replicas[old].ended().await;
                assert_eq!(code, Some(0), "{}", self.replicas[old].log());
                change.left = Some(now());
            }
            Kind::Frozen => self.replicas[old].freeze(),
            Kind::Silenced => self.replicas[old].link(Link::Silent),
            Kind::Refused => self.replicas[old].link(Link::Refused),
            Kind::Stepped => {
                self.clocks[old].step(if number % 12 < 6 { 4 } else { -4 });
                wait_for(next_common()).await;
                change.at = now();
                self.replicas[old].kill();
                self.clocks[old].step(0);
            }
        }
        self.leader(Some(&identity)).await;
        self.work_goes_on().await;
        match kind {
            Kind::Killed | Kind::Stopped | Kind::Stepped => self.replicas[old].start_ready().await,
            Kind::Frozen => {
                let past = change.at + PAST;
                self.world
                    .status("allow", "the next leader's slots", |status| {
                        status.accounted_until.as_ref().is_some_and(|until| until.0 > past)
                    })
                    .await;
                self.replicas[old].thaw();
            }
            Kind::Silenced | Kind::Refused => {
                self.replicas[old].until_it_leads(false).await;
                self.replicas[old].link(Link::Up);
            }
        }
        until("the old leader to know its place", || async {
            let holds = self.world.holder().await? == identity;
            (self.replicas[old].metric("punctual_leader ")? == f64::from(u8::from(holds))).then_some(())
        })
        .await;
        assert!(
            self.replicas[old].runs(),
            "a leader that was deposed does not end:\n{}",
            self.replicas[old].log()
        );
        self.changes.push(change);
    }

    /// Stops everyone, the leader last, and closes the books.
    pub async fn close(mut self) -> Books {
        let leader = self.leader(None).await;
        let mut leaving: Vec<Replica> = self.replicas.drain(..).collect();
        let leader = leaving.remove(leader);
        leaving.push(leader);
        for mut replica in leaving {
            replica.ask_to_stop();
            assert_eq!(replica.ended().await, Some(0), "{}", replica.log());
        }
        let tasks = self.world.tasks().list(&ListParams::default()).await.expect("the tasks");
        let seen = self.witness.seen(&self.world.job_names().await, &tasks.items).await;
        Books::close(&self.world, self.pace, std::mem::take(&mut self.changes), &seen).await
    }
}

/// A group that does not come to its end says what its replicas said.
impl Drop for Arena {
    fn drop(&mut self) {
        for replica in &self.replicas {
            eprintln!("--- {} of {} ---\n{}", replica.identity, self.world.namespace, replica.log());
        }
    }
}
