//! What happens in a life: one task, the temper of its Jobs, and a list of events in order of time.
//!
//! Takes nothing, gives values that can be told as a story, left out one by one, and lived again. Never decides: `generate` makes
//! them, `world` lives them.

use super::clock::{Ms, show};
use super::versions::Dropped;
use serde_json::Value;
use std::fmt;

/// A whole life.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub born: Ms,
    /// How long until everything is healed and the last check comes.
    pub lasts: Ms,
    pub replicas: usize,
    pub spec: Value,
    pub temper: Temper,
    pub steps: Vec<(Ms, Step)>,
}

/// How Jobs behave: milliseconds, and so many in a thousand.
#[derive(Clone, Debug, PartialEq)]
pub struct Temper {
    pub work: Ms,
    pub fails: i64,
    pub fails_for_good: i64,
    pub never_ready: i64,
    pub queued: i64,
    pub slow_to_die: i64,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Fields of the spec are set; null takes one away.
    Edit(Value),
    RunNow(String),
    Resume(String),
    /// An interval that ends so long before now, and is so long.
    Backfill {
        ago: Ms,
        long: Ms,
    },
    TakeBack,
    DamageLog(Damage),
    DeleteJob(usize),
    /// Takes the label off a Job by which the watch selects it.
    Unlabel(usize),
    DeleteStatus,
    Touch,
    Squat {
        for_: Ms,
    },
    Forge {
        forgery: Forgery,
        for_: Ms,
    },
    Preempt {
        for_: Ms,
    },
    Temper(Temper),

    Crash {
        replica: usize,
        after: u32,
        down: Ms,
    },
    CrashAll {
        down: Ms,
    },
    Freeze {
        before: Moment,
        for_: Ms,
    },
    Depose,
    LoseAnswers(Verb, u32),
    DropRequests(Verb, u32),
    Silence {
        for_: Ms,
    },
    RefuseCreates {
        for_: Ms,
    },
    RefuseDeletes {
        for_: Ms,
    },
    RefusePods {
        for_: Ms,
    },
    RefuseStatus {
        for_: Ms,
    },
    Quota {
        jobs: usize,
        for_: Ms,
    },
    HoldDeletions {
        for_: Ms,
    },
    Lag {
        replica: usize,
        stream: Stream,
        by: Ms,
        for_: Ms,
    },
    WatchDies {
        replica: usize,
        stream: Stream,
        for_: Ms,
    },
    Clock {
        by: Ms,
        for_: Ms,
    },
    /// etcd is restored from a snapshot that was taken so long ago.
    Restore {
        ago: Ms,
        is_bumped: bool,
    },
    /// A replica reads from an API server whose cache is old: it lists anew, or its watches stall; single reads may be old, too.
    OldCache {
        replica: usize,
        by: Ms,
        lists: bool,
        gets: bool,
        for_: Ms,
    },
    OldCrd {
        drops: Dropped,
        for_: Ms,
    },
    /// A replica on a node whose clock is wrong.
    Skew {
        replica: usize,
        by: Ms,
        for_: Ms,
    },
    /// A replica is of an older version.
    OldOperator {
        replica: usize,
        drops: Dropped,
        for_: Ms,
    },
}

/// A Job that claims to be the task's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forgery {
    pub kind: Kind,
    /// It has a mark, though not ours.
    pub marked: bool,
    /// It has ended at once, well or badly.
    pub ended: Option<bool>,
}

/// Under which name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// That of the next slot.
    Next,
    /// That of a slot of the past day.
    Past,
    /// That of a slot in more than a year.
    FarAhead,
    /// That of a further attempt at the next slot.
    Retry,
    /// That of a run that somebody asked for.
    Manual,
}

/// Before what a process is stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    Anything,
    Before(Verb),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Post,
    Put,
    Delete,
    Get,
    /// Of the claims log.
    Log,
}

/// What somebody does to the claims log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    Deleted,
    Emptied,
    Garbled,
    Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Tasks,
    Jobs,
}

impl Step {
    /// The kind of fault, if it is one and not something that people do.
    pub fn fault(&self) -> Option<&'static str> {
        Some(match self {
            Self::Edit(_) | Self::RunNow(_) | Self::Resume(_) | Self::Backfill { .. } | Self::TakeBack => return None,
            Self::Temper(_) => return None,
            Self::DamageLog(Damage::Deleted) => "the claims log deleted",
            Self::DamageLog(_) => "the claims log damaged",
            Self::DeleteJob(_) => "a Job deleted by somebody",
            Self::Unlabel(_) => "a label taken off a Job",
            Self::DeleteStatus => "the status deleted",
            Self::Touch => "another writer",
            Self::Squat { .. } => "a name taken",
            Self::Forge { .. } => "a Job forged",
            Self::Preempt { .. } => "a Job preempted",
            Self::Crash { .. } => "crash between effects",
            Self::CrashAll { .. } => "all replicas killed",
            Self::Freeze { .. } => "a leader frozen and deposed",
            Self::Depose => "a change of leader",
            Self::LoseAnswers(Verb::Post, _) => "lost answer to a POST",
            Self::LoseAnswers(Verb::Put, _) => "lost answer to a PUT",
            Self::LoseAnswers(Verb::Delete, _) => "lost answer to a DELETE",
            Self::LoseAnswers(Verb::Get, _) => "lost answer to a GET",
            Self::LoseAnswers(Verb::Log, _) => "lost answer to a commit",
            Self::DropRequests(..) => "lost requests",
            Self::Silence { .. } => "silence",
            Self::RefuseCreates { .. } => "creates refused",
            Self::RefuseDeletes { .. } => "deletes refused",
            Self::RefusePods { .. } => "pods not readable",
            Self::RefuseStatus { .. } => "status writes refused",
            Self::Quota { .. } => "quota",
            Self::HoldDeletions { .. } => "deletions that linger",
            Self::Lag { stream: Stream::Tasks, .. } => "the watch of tasks lags",
            Self::Lag { stream: Stream::Jobs, .. } => "the watch of Jobs lags",
            Self::WatchDies { stream: Stream::Tasks, .. } => "the watch of tasks dies",
            Self::WatchDies { stream: Stream::Jobs, .. } => "the watch of Jobs dies",
            Self::Clock { by, .. } if *by > 0 => "the clock steps forward",
            Self::Clock { .. } => "the clock steps back",
            Self::Restore { is_bumped: true, .. } => "etcd restored, revisions bumped",
            Self::Restore { .. } => "etcd restored, revisions repeat",
            Self::OldCache { gets: true, .. } => "an old cache that answers reads, too",
            Self::OldCache { .. } => "lists and watches of an old cache",
            Self::OldCrd { .. } => "fields that the CRD prunes",
            Self::Skew { by, .. } if *by > 0 => "a replica's clock ahead",
            Self::Skew { .. } => "a replica's clock behind",
            Self::OldOperator { .. } => "an older operator",
        })
    }
}

fn span(ms: Ms) -> String {
    match ms.abs() {
        0..1000 => format!("{ms} ms"),
        1000..120_000 => format!("{:.1} s", ms as f64 / 1000.0),
        120_000..7_200_000 => format!("{:.1} min", ms as f64 / 60_000.0),
        7_200_000..172_800_000 => format!("{:.1} h", ms as f64 / 3_600_000.0),
        _ => format!("{:.1} days", ms as f64 / 86_400_000.0),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edit(patch) => write!(f, "somebody applies {patch}"),
            Self::RunNow(value) => write!(f, "somebody asks run-now={value}"),
            Self::Resume(value) => write!(f, "somebody asks resume={value}"),
            Self::Backfill { ago, long } => write!(f, "somebody asks for a backfill of {} that ended {} ago", span(*long), span(*ago)),
            Self::TakeBack => write!(f, "somebody takes all requests back"),
            Self::DamageLog(how) => write!(f, "somebody damages the claims log: {how:?}"),
            Self::DeleteJob(which) => write!(f, "somebody deletes Job no. {which} (modulo)"),
            Self::Unlabel(which) => write!(f, "somebody takes the label off Job no. {which} (modulo)"),
            Self::DeleteStatus => write!(f, "somebody deletes the status"),
            Self::Touch => write!(f, "somebody labels the task"),
            Self::Squat { for_ } => write!(f, "somebody's Job has the next slot's name for {}", span(*for_)),
            Self::Forge { forgery, for_ } => write!(f, "somebody forges a Job, {forgery:?}, for {}", span(*for_)),
            Self::Preempt { for_ } => write!(f, "a queueing system suspends the Jobs that go on for {}", span(*for_)),
            Self::Temper(temper) => write!(f, "Jobs become {temper:?}"),
            Self::Crash { replica, after, down } => write!(f, "replica {replica} dies after {after} more writes, for {}", span(*down)),
            Self::CrashAll { down } => write!(f, "all replicas die, for {}", span(*down)),
            Self::Freeze { before, for_ } => write!(f, "the leader is stopped before {before:?}, for {}", span(*for_)),
            Self::Depose => write!(f, "the leader gives its lease away"),
            Self::LoseAnswers(verb, n) => write!(f, "the answers to the next {n} {verb:?} are lost"),
            Self::DropRequests(verb, n) => write!(f, "the next {n} {verb:?} never arrive"),
            Self::Silence { for_ } => write!(f, "the API server is silent for {}", span(*for_)),
            Self::RefuseCreates { for_ } => write!(f, "Jobs are refused for {}", span(*for_)),
            Self::RefuseDeletes { for_ } => write!(f, "deletions are refused for {}", span(*for_)),
            Self::RefusePods { for_ } => write!(f, "pods may not be read for {}", span(*for_)),
            Self::RefuseStatus { for_ } => write!(f, "status writes are refused for {}", span(*for_)),
            Self::Quota { jobs, for_ } => write!(f, "a quota of {jobs} Jobs for {}", span(*for_)),
            Self::HoldDeletions { for_ } => write!(f, "deleted Jobs are held by a finalizer for {}", span(*for_)),
            Self::Lag { replica, stream, by, for_ } => {
                write!(
                    f,
                    "replica {replica}'s watch of {stream:?} is {} late, for {}",
                    span(*by),
                    span(*for_)
                )
            }
            Self::WatchDies { replica, stream, for_ } => write!(f, "replica {replica}'s watch of {stream:?} is dead for {}", span(*for_)),
            Self::Clock { by, for_ } => write!(f, "the clock is {} wrong for {}", span(*by), span(*for_)),
            Self::Restore { ago, is_bumped } => {
                let revisions = if *is_bumped { "bumped" } else { "that repeat" };
                write!(f, "etcd is restored as it was {} ago, with revisions {revisions}", span(*ago))
            }
            Self::OldCache {
                replica,
                by,
                lists,
                gets,
                for_,
            } => {
                let what = match (lists, gets) {
                    (true, true) => "lists anew and reads",
                    (true, false) => "lists anew",
                    (false, true) => "reads",
                    (false, false) => "watches",
                };
                write!(
                    f,
                    "replica {replica} {what} from a cache that is {} old, for {}",
                    span(*by),
                    span(*for_)
                )
            }
            Self::OldCrd { drops, for_ } => write!(f, "the CRD does not know {drops}, for {}", span(*for_)),
            Self::Skew { replica, by, for_ } => write!(f, "replica {replica}'s clock is {} wrong, for {}", span(*by), span(*for_)),
            Self::OldOperator { replica, drops, for_ } => {
                write!(
                    f,
                    "replica {replica} is an older version, which does not know {drops}, for {}",
                    span(*for_)
                )
            }
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}  a task is applied: {}", show(self.born), self.spec)?;
        writeln!(f, "  {:20}  {} replicas; Jobs are {:?}", "", self.replicas, self.temper)?;
        for (after, step) in &self.steps {
            writeln!(f, "  {}  {step}", show(self.born + after))?;
        }
        write!(f, "  {}  everything is healed", show(self.born + self.lasts))
    }
}
