//! A simulation of the world: the real `plan()` through virtual months, in seconds, from a seed.

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
#[path = "sim/memory.rs"]
mod memory;
#[path = "sim/mutants.rs"]
mod mutants;
#[path = "sim/process.rs"]
mod process;
#[path = "sim/random.rs"]
mod random;
#[path = "sim/replica.rs"]
mod replica;
#[path = "sim/shrink.rs"]
mod shrink;
#[path = "sim/steps.rs"]
mod steps;
#[path = "sim/story.rs"]
mod story;
#[path = "sim/switches.rs"]
mod switches;
#[path = "sim/wishes.rs"]
mod wishes;
#[path = "sim/world.rs"]
mod world;
