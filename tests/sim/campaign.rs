//! Many lives, one after the other; the first that fails is shrunk and told as a story.
//!
//! Takes `SIM_SEEDS` (how many; default few), `SIM_FROM` (the first seed) and `SIM_SEED` (only this one, with the log of its API
//! server), `SIM_TAIL` (how many lines of it). Gives one line of figures. Never the wall clock.

use super::clock::show;
use super::generate::scenario;
use super::shrink::{shrink, verdict};
use super::story::Scenario;
use super::world::{Figures, World};
use std::collections::BTreeMap;

/// How many lives a debug build lives in a few seconds.
const FEW: u64 = 30;
/// How many lines of the log a story ends with.
const TAIL: usize = 25;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_happens_each_slot_has_one_outcome() {
    if let Some(seed) = number("SIM_SEED") {
        return replay(seed);
    }
    let (from, seeds) = (number("SIM_FROM").unwrap_or(1), number("SIM_SEEDS").unwrap_or(FEW));
    let mut total = Figures::default();
    let mut broken: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for seed in from..from + seeds {
        if number("SIM_TELL").is_some() {
            eprintln!("seed {seed}");
        }
        let scenario = scenario(seed);
        let mut world = World::new(&scenario, None);
        world.live();
        if let Some((_, why)) = &world.api.checker.broken {
            let why = why.split(':').next().unwrap_or_default();
            broken.entry(why.chars().take(60).collect()).or_default().push(seed);
        }
        add(&mut total, &world.figures);
    }
    let of = |rule: &str| {
        broken
            .iter()
            .filter(|(why, _)| why.starts_with(rule))
            .map(|(_, seeds)| seeds.len())
            .sum::<usize>()
    };
    let faults: u64 = total.faults.values().sum();
    println!(
        "sim: {seeds} seeds, {} slots, {} Jobs, {} plans, {} status writes, {faults} faults of {} kinds; {} lost, {} doubled, {} overlapped, {} broken in all",
        total.slots,
        total.jobs,
        total.plans,
        total.writes,
        total.faults.len(),
        of("lost"),
        of("doubled"),
        of("overlap"),
        broken.values().map(Vec::len).sum::<usize>()
    );
    for (why, seeds) in &broken {
        println!("  {} × {why}: {:?}", seeds.len(), &seeds[..seeds.len().min(8)]);
    }
    if let Some(seed) = broken.values().flatten().min() {
        tell(&scenario(*seed));
    }
}

fn add(total: &mut Figures, life: &Figures) {
    (total.slots, total.jobs) = (total.slots + life.slots, total.jobs + life.jobs);
    (total.plans, total.writes) = (total.plans + life.plans, total.writes + life.writes);
    for (kind, count) in &life.faults {
        *total.faults.entry(kind).or_default() += count;
    }
}

/// One seed again.
fn replay(seed: u64) {
    let scenario = scenario(seed);
    match verdict(&scenario, None) {
        Some(_) => tell(&scenario),
        None => println!("seed {seed} holds:\n{scenario}"),
    }
}

/// A life that fails, as a story.
fn tell(scenario: &Scenario) -> ! {
    let (_, why) = verdict(scenario, None).expect("it failed before");
    let short = shrink(scenario, &why, None);
    let mut world = World::new(&short, None);
    world.api.checker.log = Some(Vec::new());
    world.live();
    let (when, why) = world.api.checker.broken.clone().expect("it still fails");
    let log = world.api.checker.log.take().unwrap_or_default();
    let most = number("SIM_TAIL").map_or(TAIL, |most| most as usize);
    let tail = &log[log.len().saturating_sub(most)..];
    panic!(
        "seed {}: {why}, at {}\n\nThe story, shrunk:\n{short}\n\nWhat the API server saw last:\n{}\n\nReplay: SIM_SEED={} cargo test --test sim whatever -- --nocapture\n",
        scenario.seed,
        show(when),
        tail.join("\n"),
        scenario.seed
    );
}
