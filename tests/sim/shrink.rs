//! A failing life, made as short as it still fails: events are left out one by one and in halves, then fields of the spec.
//!
//! Takes a scenario that fails, gives a shorter one that fails by the same rule. Greedy: not the shortest there is.

use super::mutants::Mutant;
use super::story::{Scenario, Step};
use super::world::World;
use serde_json::Value;

/// The word before the colon names the rule.
fn rule(why: &str) -> &str {
    why.split(':').next().unwrap_or_default()
}

pub fn verdict(scenario: &Scenario, mutant: Option<Mutant>) -> Option<(i64, String)> {
    let mut world = World::new(scenario, mutant);
    world.live();
    world.api.checker.broken
}

pub fn shrink(scenario: &Scenario, why: &str, mutant: Option<Mutant>) -> Scenario {
    let fails = |candidate: &Scenario| verdict(candidate, mutant).is_some_and(|(_, other)| rule(&other) == rule(why));
    let mut best = scenario.clone();
    let mut tries = 0;
    loop {
        let before = size(&best);
        // Halves, quarters, … single events.
        let mut chunk = best.steps.len().max(1);
        while chunk > 0 {
            let mut from = 0;
            while from < best.steps.len() && tries < 800 {
                let mut candidate = best.clone();
                candidate.steps.drain(from..(from + chunk).min(candidate.steps.len()));
                tries += 1;
                if fails(&candidate) {
                    best = candidate;
                } else {
                    from += chunk;
                }
            }
            chunk /= 2;
        }
        for candidate in simpler(&best) {
            tries += 1;
            if tries < 800 && fails(&candidate) {
                best = candidate;
                break;
            }
        }
        if size(&best) >= before || tries >= 800 {
            return best;
        }
    }
}

fn size(scenario: &Scenario) -> (usize, usize, usize, i64) {
    let fields = |value: &Value| value.as_object().map_or(0, |fields| fields.len());
    let patches = scenario
        .steps
        .iter()
        .map(|(_, step)| if let Step::Edit(patch) = step { fields(patch) } else { 0 });
    (
        scenario.steps.len(),
        fields(&scenario.spec) + patches.sum::<usize>(),
        scenario.replicas,
        scenario.lasts,
    )
}

/// One field less, one replica less, half of the time.
fn simpler(scenario: &Scenario) -> Vec<Scenario> {
    let mut all = Vec::new();
    for field in scenario.spec.as_object().into_iter().flatten().map(|(field, _)| field) {
        if !["schedule", "schedules", "jobTemplate"].contains(&field.as_str()) {
            let mut candidate = scenario.clone();
            candidate.spec.as_object_mut().expect("a spec").remove(field);
            all.push(candidate);
        }
    }
    for (at, (_, step)) in scenario.steps.iter().enumerate() {
        let Step::Edit(patch) = step else { continue };
        for field in patch.as_object().into_iter().flatten().map(|(field, _)| field) {
            let mut patch = patch.clone();
            patch.as_object_mut().expect("a patch").remove(field);
            let mut candidate = scenario.clone();
            candidate.steps[at].1 = Step::Edit(patch);
            all.push(candidate);
        }
    }
    if scenario.replicas > 1 {
        let mut candidate = scenario.clone();
        candidate.replicas -= 1;
        all.push(candidate);
    }
    let last = scenario.steps.last().map_or(0, |(when, _)| *when);
    for lasts in [last + 1000, scenario.lasts / 2, scenario.lasts * 9 / 10] {
        if lasts > last && lasts < scenario.lasts {
            let mut candidate = scenario.clone();
            candidate.lasts = lasts;
            all.push(candidate);
        }
    }
    all
}
