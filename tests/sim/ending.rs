//! The end of a life: everything is healed, slots go on for a while, the task is suspended, its Jobs end, a new process looks.
//!
//! Takes the world, takes its faults away. Never decides whether the books are right: that is the checker's.

use super::clock::{HOUR, MINUTE, Ms, SECOND};
use super::cluster::Weather;
use super::replica::Life;
use super::story::Stream;
use super::world::{Event, World};
use serde_json::Value;

impl World<'_> {
    /// All faults are over.
    pub fn heal(&mut self) {
        (self.healed, self.mended, self.mended_at) = (true, true, self.api.now);
        self.api.weather = Weather::default();
        (self.api.temper.never_ready, self.api.temper.queued, self.api.temper.slow_to_die) = (0, 0, 0);
        // A long backfill, one run after the other, comes to its end as well.
        self.api.temper.work = self.api.temper.work.min(MINUTE);
        self.ends.clear();
        self.set_clock(0);
        (0..self.replicas.len()).for_each(|at| self.set_skew(at, 0));
        for at in 0..self.replicas.len() {
            let replica = &mut self.replicas[at];
            (replica.freezes, replica.dies_in) = (None, None);
            (replica.tasks.lag, replica.jobs.lag) = (0, 0);
            replica.old_cache = None;
            if !std::mem::take(&mut replica.drops).is_nothing() {
                self.die(at, SECOND);
            }
            let replica = &self.replicas[at];
            let life = replica.incarnation;
            match replica.life {
                Life::Down => self.later(self.api.now, Event::Rise(at, life)),
                Life::Frozen => self.later(self.api.now, Event::Thaw(at, life)),
                Life::Up => {}
            }
            for stream in [Stream::Tasks, Stream::Jobs] {
                self.revive(at, stream);
            }
        }
        let squatters: Vec<String> = self
            .api
            .jobs
            .values()
            .filter(|job| job.is_foreign(&self.api.task))
            .map(|job| job.name.clone())
            .collect();
        squatters.iter().for_each(|name| self.api.remove(name));
        self.api.mend();
        self.api.checker.disturbed();
        let now = self.api.now;
        self.later(now + 16 * SECOND, Event::Elect);
        self.later(now + 12 * MINUTE, Event::Suspend);
    }

    /// The task is suspended, and what goes on comes to its end.
    pub fn rest(&mut self) {
        let spec: Value = serde_json::json!({"suspend": true});
        self.edit(&spec);
        self.api.mend();
        let now = self.api.now;
        self.settle_by(now + 30 * MINUTE);
    }

    fn settle_by(&mut self, when: Ms) {
        self.later(when, Event::Restart);
    }

    /// A process that knows nothing looks at what is done: it must have nothing to do.
    pub fn restart(&mut self) {
        let now = self.api.now;
        let busy = !self.api.going_on().is_empty() || self.api.task.status.backfill.is_some() || !self.api.task.status.active.is_empty();
        if busy && now < self.mended_at + 90 * 24 * HOUR {
            self.api.mend();
            return self.settle_by(now + 10 * MINUTE);
        }
        self.writes_before_restart = self.api.checker.writes;
        for at in 0..self.replicas.len() {
            self.replicas[at].forget();
        }
        self.vacant_until = now;
        self.rise(0);
        self.elect();
        self.later(now + 10 * MINUTE, Event::End);
    }

    pub fn end(&mut self) {
        let now = self.api.now;
        let written = self.api.checker.writes - self.writes_before_restart;
        if written > 0 {
            let why = Err(format!(
                "quiet: nothing is due, and a new process writes the status {written} times"
            ));
            self.api.checker.judge(now, why);
        }
        self.api.checker.at_the_end(now, &self.api.task, &self.api.jobs);
    }
}
