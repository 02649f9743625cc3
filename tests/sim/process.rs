//! The life of a process: it looks, plans, carries out one effect after the other, dies, is stopped, goes on, leads or follows.
//!
//! Takes events, asks the real `plan()`, gives further events. Never touches the API server but through `replica`.

use super::clock::{HOUR, Ms, SECOND, at};
use super::cluster::Api;
use super::mutants::Mutant;
use super::replica::{Life, Replica, Work, pause, seal};
use super::story::{Moment, Stream, Verb};
use super::switches::A_NEW_LEADER_LISTS;
use super::world::{Event, World};
use jiff::Timestamp;
use punctual::api::{ATTEMPT, SLOT, TRIGGER};
use punctual::plan::{Effect, plan};
use punctual::state::{Execution, Packed, Progress, Request, Step};

/// How long a lease outlives its holder.
pub const LEASE: Ms = 15 * SECOND;
/// As many as the controller grants a task in one go.
const ROUNDS: u32 = 16;

impl World<'_> {
    pub fn wake(&mut self, at: usize) {
        let life = self.replicas[at].incarnation;
        if self.replicas[at].leads {
            self.later(self.api.now, Event::Look(at, life));
        }
    }

    /// Observe and plan; the effects follow one by one.
    pub fn look(&mut self, at: usize) {
        let (clock, now) = (self.clock(at), self.api.now);
        let replica = &mut self.replicas[at];
        if !replica.leads || replica.life == Life::Down {
            return;
        }
        if replica.life == Life::Frozen || replica.work.is_some() {
            replica.again = true;
            return;
        }
        if !replica.holds_the_log(at, &mut self.api, clock) {
            return self.failed(at);
        }
        let Some(mut observed) = replica.memory.observe(super::clock::at(clock), &seal()) else {
            return;
        };
        if let Some(log) = &mut replica.log {
            observed.claims = log.of(&observed.task.uid, &observed.task.status);
        }
        if let Some(mutant) = self.mutant {
            mutant.bend(&mut observed);
        }
        // It thinks that all it writes is kept.
        observed.crd_is_outdated &= replica.drops.is_nothing();
        if self.mutant == Some(Mutant::TakesItsClockForTwiceAsWrong) {
            observed.now = super::clock::at(clock + replica.skew);
        }
        let mut plan = plan(&observed);
        self.figures.plans += 1;
        if let Some(mutant) = self.mutant {
            mutant.twist(&observed, &mut plan);
        }
        let creates = plan.effects.iter().any(|effect| matches!(effect, Effect::Create { .. }));
        if creates && replica.read_in != replica.term {
            return match replica.refresh(&mut self.api, clock) {
                Ok(()) => self.later(now + 3, Event::Look(at, self.replicas[at].incarnation)),
                Err(_) => self.failed(at),
            };
        }
        let said = || {
            format!(
                "replica {at} plans {:?}, to wake at {}",
                plan.effects.iter().map(name).collect::<Vec<_>>(),
                plan.wake_at.map_or("never".into(), |at| at.to_string())
            )
        };
        self.api.checker.note(now, said);
        if plan.effects.is_empty() {
            // Whatever is forgotten at rest, nobody may need.
            let is_claimed = replica.log.as_ref().is_some_and(|log| log.has(&observed.task.uid));
            if let Some(rested) = Packed::of(&replica.memory).filter(|_| !is_claimed) {
                replica.memory = rested.unpack(super::clock::at(clock)).expect("what was packed can be read");
            }
            (replica.failures, replica.rounds) = (0, 0);
            let hot = plan.wake_at.filter(|wake| *wake <= observed.now);
            if let Some(wake) = hot {
                let why = Err(format!("quiet: it wants to wake at {wake}, and it is {}", observed.now));
                return self.api.checker.judge(now, why);
            }
            replica.wanted = plan.wake_at;
            return self.arm(at);
        }
        if replica.rounds > ROUNDS {
            replica.rounds = 0;
            if self.is_calm() {
                let why = Err(format!(
                    "quiet: it does not settle: {:?}",
                    plan.effects.iter().map(name).collect::<Vec<_>>()
                ));
                return self.api.checker.judge(now, why);
            }
            return self.failed(at);
        }
        let may_merge = match replica.merging {
            Some(until) if until <= now => {
                replica.merging = None;
                false
            }
            _ => true,
        };
        replica.work = Some(Work {
            seen: observed.task.clone(),
            execution: Execution::new(plan.effects, may_merge),
            next: None,
            planned_at: clock,
            wake_at: plan.wake_at,
        });
        let (life, pause) = (replica.incarnation, self.random.between(1, 9));
        self.later(now + pause, Event::Act(at, life));
    }

    /// The timer by the process's clock: the clock may be wrong, and may be set.
    pub fn arm(&mut self, at_: usize) {
        let offset = self.offset(at_);
        let replica = &mut self.replicas[at_];
        replica.timer += 1;
        if let Some(wanted) = replica.wanted {
            let (timer, late) = (replica.timer, self.random.between(0, 3));
            let wanted = wanted.as_millisecond() + i64::from(wanted.subsec_nanosecond() % 1_000_000 != 0);
            let when = (wanted - offset).max(self.api.now) + late;
            // Nobody waits for a hundred years.
            if wanted < at(self.api.now).as_millisecond() + 100 * 366 * 24 * HOUR {
                self.later(when, Event::Timer(at_, timer));
            }
        }
    }

    pub fn failed(&mut self, at: usize) {
        let replica = &mut self.replicas[at];
        (replica.work, replica.wanted, replica.rounds) = (None, None, 0);
        replica.timer += 1;
        let wait = (100 << replica.failures.min(6)).min(5 * SECOND);
        replica.failures += 1;
        let (life, again) = (replica.incarnation, std::mem::take(&mut replica.again));
        self.later(self.api.now + wait, Event::Look(at, life));
        if again {
            self.later(self.api.now, Event::Look(at, life));
        }
    }

    /// One request of the plan; the process may die or be stopped around it.
    pub fn act(&mut self, at: usize) {
        let (clock, now) = (self.clock(at), self.api.now);
        let replica = &mut self.replicas[at];
        if replica.life != Life::Up {
            return;
        }
        let Some(mut work) = replica.work.take() else { return };
        let life = replica.incarnation;
        let next = work.next.take().map(Step::Send);
        let mut request = match next.unwrap_or_else(|| work.execution.next(&mut replica.memory, &seal())) {
            Step::Send(request) => request,
            Step::Finished(progress) => return self.finished(at, progress, work.wake_at),
        };
        let verb = Replica::verb(&request);
        if let Some((moment, for_)) = replica.freezes
            && (moment == Moment::Anything || moment == Moment::Before(verb))
        {
            replica.freezes = None;
            replica.life = Life::Frozen;
            work.next = Some(request);
            replica.work = Some(work);
            self.api.checker.note(now, || format!("replica {at} is stopped before {verb:?}"));
            self.later(now + for_, Event::Thaw(at, life));
            return self.later(now + LEASE, Event::Elect);
        }
        let guesses = replica.stale || replica.old_cache.is_some_and(|(_, gets)| gets);
        let is_old_spec = !replica.stale && work.seen.generation != self.api.task.generation && verb == Verb::Post;
        // The read before a start is what its claim is decided by.
        let is_old_ledger = !replica.stale && verb == Verb::Log && work.seen.status != self.api.task.status;
        if guesses && (is_old_spec || is_old_ledger || is_not_fenced(&request, &self.api)) {
            return self.leave(at);
        }
        if let Some(mutant) = self.mutant {
            mutant.bend_request(&mut request, &self.api);
        }
        let asked = request.clone();
        let mut answer = replica.send(at, &mut self.api, &work, request, clock);
        if let Some(mutant) = self.mutant {
            mutant.bend_answer(&asked, &work.seen, &mut answer);
        }
        if verb != Verb::Get
            && let Some((left, down)) = replica.dies_in.as_mut()
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                let down = *down;
                return self.die(at, down);
            }
        }
        work.execution
            .answered(answer, &mut replica.memory, &seal(), super::clock::at(clock));
        if self.mutant == Some(Mutant::ForgetsWhatWasPruned) && matches!(asked, Request::WriteStatus { .. }) {
            let (seen, kept) = (super::clock::at(clock), self.api.task.clone());
            replica.memory.writes.compare_written((*kept.status).clone(), &kept.status);
            replica.memory.remove_task();
            replica.memory.put_task(kept, seen);
        }
        replica.work = Some(work);
        let pause = self.random.between(1, 9);
        self.later(now + pause, Event::Act(at, life));
    }

    /// A plan was carried out, as far as it could be.
    fn finished(&mut self, at: usize, progress: Progress, wake_at: Option<Timestamp>) {
        let now = self.api.now;
        let replica = &mut self.replicas[at];
        if let Some(log) = &mut replica.log {
            log.released(&self.api.task.uid);
        }
        if replica.stale {
            return self.leave(at);
        }
        let life = replica.incarnation;
        match progress {
            Progress::Done | Progress::Nothing => {
                replica.rounds += 1;
                replica.again = false;
                self.later(now, Event::Look(at, life));
            }
            Progress::Deferred(urgency) => {
                let wait = pause(urgency);
                let begins = replica.merging.is_none_or(|until| now + wait < until);
                let again = std::mem::take(&mut replica.again);
                if begins {
                    replica.merging = Some(now + wait);
                }
                (replica.wanted, replica.failures, replica.rounds) = (wake_at, 0, 0);
                if begins {
                    self.later(now + wait, Event::Look(at, life));
                }
                if again {
                    self.later(now, Event::Look(at, life));
                }
                self.arm(at);
            }
            Progress::Failed(_) => self.failed(at),
        }
    }

    pub fn die(&mut self, at: usize, down: Ms) {
        let now = self.api.now;
        self.api.checker.note(now, || format!("replica {at} dies"));
        let replica = &mut self.replicas[at];
        let led = replica.leads;
        replica.forget();
        let life = replica.incarnation;
        self.later(now + down.max(500), Event::Rise(at, life));
        if led {
            self.vacant_until = now + LEASE;
            self.later(now + LEASE, Event::Elect);
        }
    }

    pub fn rise(&mut self, at: usize) {
        self.replicas[at].life = Life::Up;
        self.list(at, Stream::Tasks);
        self.list(at, Stream::Jobs);
        self.later(self.api.now.max(self.vacant_until), Event::Elect);
    }

    /// A process goes on after it was stopped: it may have been deposed meanwhile, and does not know.
    pub fn thaw(&mut self, at: usize) {
        let replica = &mut self.replicas[at];
        if replica.life != Life::Frozen {
            return;
        }
        replica.life = Life::Up;
        let deposed = replica.stale;
        let (life, now) = (replica.incarnation, self.api.now);
        self.api
            .checker
            .note(now, || format!("replica {at} goes on{}", if deposed { ", deposed" } else { "" }));
        if replica.work.is_some() {
            self.later(now, Event::Act(at, life));
        } else if deposed {
            self.leave(at);
        } else {
            self.later(now, Event::Look(at, life));
        }
    }

    /// A process that lost the lease: it dies and begins anew, or follows with what it knows.
    pub fn leave(&mut self, at: usize) {
        if self.random.chance(400) {
            return self.die(at, SECOND);
        }
        let now = self.api.now;
        self.api.checker.note(now, || format!("replica {at} follows"));
        let replica = &mut self.replicas[at];
        (replica.leads, replica.stale, replica.work, replica.merging, replica.wanted) = (false, false, None, None, None);
        (replica.failures, replica.rounds, replica.again) = (0, 0, false);
        replica.timer += 1;
        self.later(now.max(self.vacant_until), Event::Elect);
    }

    /// Somebody takes the lease, if nobody who lives has it.
    pub fn elect(&mut self) {
        let now = self.api.now;
        let holds = |replica: &Replica| replica.leads && replica.life == Life::Up;
        if self.replicas.iter().any(holds) || now < self.vacant_until || self.api.weather.silent {
            return;
        }
        let candidates: Vec<usize> = (0..self.replicas.len())
            .filter(|at| self.replicas[*at].life == Life::Up && !self.replicas[*at].stale)
            .collect();
        if candidates.is_empty() {
            return;
        }
        let chosen = *self.random.pick(&candidates);
        // Whoever was stopped while it led is deposed, and does not know.
        for replica in self.replicas.iter_mut().filter(|replica| replica.leads) {
            (replica.leads, replica.stale) = (false, true);
        }
        self.term += 1;
        let leader = &mut self.replicas[chosen];
        (leader.leads, leader.term, leader.leads_since) = (true, self.term, now);
        leader.opens_the_log(chosen);
        self.api.checker.note(now, || format!("replica {chosen} leads"));
        if self.replicas[chosen].memory.task().is_none() || A_NEW_LEADER_LISTS {
            self.list(chosen, Stream::Tasks);
            self.list(chosen, Stream::Jobs);
        }
        self.wake(chosen);
    }
}

/// A process that was stopped right before a POST is fenced by the Job's name alone: the window that docs/decisions/02 names.
fn is_not_fenced(request: &Request, api: &Api) -> bool {
    let Request::CreateJob { manifest, dry_run: false } = request else {
        return false;
    };
    let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
    let annotation = |key: &str| manifest["metadata"]["annotations"][key].as_str().unwrap_or_default();
    if api.jobs.contains_key(name) {
        return false;
    }
    let status = &api.task.status;
    if status.active.iter().any(|active| active.job == name && active.uid.is_none()) {
        return false;
    }
    let slot: Timestamp = annotation(SLOT).parse().expect("a slot");
    let accounted = status.accounted_until.as_ref().is_none_or(|until| slot <= until.0);
    let newer = api.checker.started.range(slot.as_second()..).next().is_some();
    annotation(ATTEMPT) != "1" || annotation(TRIGGER) != "Schedule" || accounted || newer
}

fn name(effect: &Effect) -> String {
    match effect {
        Effect::DryRunCreate { .. } => "dry run".into(),
        Effect::VerifyDeleted { job, .. } => format!("verify deleted {job}"),
        Effect::LookUpCreate { job } => format!("look up {job}"),
        Effect::ListPods { job, .. } => format!("list pods of {job}"),
        Effect::Commit { claims } => format!(
            "commit {}",
            claims.iter().map(|claim| claim.job.as_str()).collect::<Vec<_>>().join(", ")
        ),
        Effect::Create { start, .. } => format!("create {}", start.job),
        Effect::Terminate { job, reason, .. } => format!("terminate {job}: {reason}"),
        Effect::Prune { job, reason, .. } => format!("prune {job}: {reason}"),
        Effect::WriteStatus { urgency, .. } => format!("write {urgency:?}"),
    }
}
