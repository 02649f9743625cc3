//! A simulation of the world: the real `plan()` through virtual months, in seconds, from a seed.
//!
//! ```text
//!   seed ─► generate ─► world { API server, Jobs, people, clock, watches, 1 to 3 processes } ─► plan() ─► effects ─► world
//!                                      └──── every commit ────► check ─► the first rule that is broken ─► shrink ─► a story
//! ```
//! Takes `SIM_SEEDS` (how many lives), `SIM_FROM`, `SIM_SEED` (one life again); gives a line of figures, or a story. Never the wall
//! clock; the checker (`check*`, `calendar`) never asks the planner, and `mutants` proves that it notices.
//!
//! # What is promised where the cluster does not agree with itself
//!
//! - **etcd is restored from a snapshot.** The checker's books go back with the objects. No slot that the restored ledger accounts for, and
//!   none whose Job was restored, starts again; nothing is lost from then on. What was made since is forgotten, and may be made again.
//!   An operator that remembers it may write down that it was started and how it succeeded; after a list of an older ledger it tries
//!   nothing again because of how it failed. The sums add up in either case. A snapshot
//!   in which the ledger has not begun is judged like a deleted status.
//! - **A replica reads from an old cache**, up to 300 s behind: the same promises as ever, for nothing is written by an old word. Where
//!   single reads are old, too, a POST that no claim covers is left out, as that of a process that was stopped, and so is a claim that
//!   was decided by an old ledger; what the cache lacks it asks for. The API server itself answers a read without a `resourceVersion` from etcd, so "not found" is believed: from a cache
//!   that lacks a new Job it would count as deleted.
//!   (Allow) A Job that nobody has written down, because the leader who made it died, and that the list of the next lacks, too, counts
//!   as missed and, when the cache shows it, as started (docs/decisions/02): from then on sums are not judged.
//!   A finished Job that an old list lacks is pruned like any other: it is asked for before the ledger stops naming it.
//! - **An older CRD prunes fields**: sums, claims and slots hold; no process gives up a slot for an edit that nobody made; each process
//!   writes at most once what is not kept, and again if its answer is lost; Ready is False with OutdatedCRD. A leader that did not
//!   write a pruned `retryAt` itself does not know it, so its backoff is not judged.
//! - **Clocks of replicas differ**, by up to 20 s: no Job is created earlier, by the API server's clock, than the fastest clock was ahead;
//!   limits and backoff are kept to within the difference of two clocks; no slot starts twice.
//! - **An older operator leads in turns with this one**, reads the status without the newest fields and writes it without them: every
//!   rule holds, and each of its processes writes at most once what says nothing new.
//!
//! # What is left out, and why
//!
//! - **Somebody deletes a Job whose start no status has written yet.** That Job alone proves it. docs/decisions/02 names the window
//!   for an operator that dies in that second; the generator keeps out of more than that: of every such Job.
//! - **A process that was stopped right before a POST, when the claim it meant no longer stands, or (Allow) the slot is accounted
//!   for or a newer one was started.** The name alone guards that POST (docs/decisions/02). Its other effects are done.
//! - **Its DELETEs are not judged**: the wish to end a run may have been taken back meanwhile.
//! - **A request that commits later than it is given up**: here it commits at once or never (docs/decisions/02).
//! - **That each claim is carried out**, in a life whose log was damaged or restored with etcd (it does not name all that was decided), and
//!   of slots before the beginning of a ledger: for more than five minutes nobody lived to write a first status (docs/decisions/15).
//! - **A deleted status**: not in the first six minutes of a task, which owes its first slots from its creation. After it sums, room
//!   and claims are not judged for that life; doubled slots and what is owed are.
//! - **Limits that strike too early** are judged only where no clock was ever wrong and the watches were true for five seconds.
//! - **The patience** for Jobs that are deleted and do not go (grace period and 30 s) is room for others, by the later of two clocks.
//! - **Not simulated**: more than one task, its deletion, specs that cannot be read or name no slot, `H`, `L`, `W` and `#`, zones other
//!   than UTC and New York, what `src/controller` does beyond the loop. What a
//!   process knows is the real `Record`; `replica` is written after `perform`, and is not it.
//! - **A process that is stopped while a backup is restored whose revisions repeat**: its writes would not conflict. etcd's documentation
//!   demands `--bump-revision` for that reason. Requests on their way are lost, and watches list anew at once.
//! - **An older operator that behaves differently**: it is this one, without fields.
//! - A life that an edit makes dense is healed early, at 5,000 slots or 400 Jobs.

#[path = "sim/calendar.rs"]
mod calendar;
#[path = "sim/campaign.rs"]
mod campaign;
#[path = "sim/check.rs"]
mod check;
#[path = "sim/check_books.rs"]
mod check_books;
#[path = "sim/check_end.rs"]
mod check_end;
#[path = "sim/check_jobs.rs"]
mod check_jobs;
#[path = "sim/check_time.rs"]
mod check_time;
#[path = "sim/claims.rs"]
mod claims;
#[path = "sim/clock.rs"]
mod clock;
#[path = "sim/cluster.rs"]
mod cluster;
#[path = "sim/ending.rs"]
mod ending;
#[path = "sim/generate.rs"]
mod generate;
#[path = "sim/jobs.rs"]
mod jobs;
#[path = "sim/misreadings.rs"]
mod misreadings;
#[path = "sim/mutants.rs"]
mod mutants;
#[path = "sim/past.rs"]
mod past;
#[path = "sim/process.rs"]
mod process;
#[path = "sim/random.rs"]
mod random;
#[path = "sim/replica.rs"]
mod replica;
#[path = "sim/restore.rs"]
mod restore;
#[path = "sim/shrink.rs"]
mod shrink;
#[path = "sim/steps.rs"]
mod steps;
#[path = "sim/story.rs"]
mod story;
#[path = "sim/switches.rs"]
mod switches;
#[path = "sim/teeth.rs"]
mod teeth;
#[path = "sim/versions.rs"]
mod versions;
#[path = "sim/wishes.rs"]
mod wishes;
#[path = "sim/world.rs"]
mod world;
