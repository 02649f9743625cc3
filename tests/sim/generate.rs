//! A life from a seed: a random task, random Jobs, and events that like to come near slots and near each other.
//!
//! Takes a seed, gives a scenario. Never anything that admission would refuse.

use super::calendar::Calendar;
use super::clock::{DAY, HOUR, MINUTE, Ms, SECOND};
use super::random::Random;
use super::story::{Damage, Forgery, Kind, Moment, Scenario, Step, Stream, Temper, Verb};
use super::switches::SCHEDULE_FEATURES;
use super::versions::Dropped;
use super::wishes::{change, edit};
use punctual::api::ScheduledTaskSpec;
use serde_json::{Value, json};

/// Schedules, and how long their lives last.
pub const SCHEDULES: [(&str, Ms); 14] = [
    ("* * * * *", 3 * HOUR),
    ("* * * * *", 5 * HOUR),
    ("*/5 * * * *", 18 * HOUR),
    ("*/5 9-17 * * *", 3 * DAY),
    ("0 * * * *", 8 * DAY),
    ("@every 7m", DAY),
    ("@every 90s", 5 * HOUR),
    ("*/20 * * * * *", HOUR),
    ("30 2 * * *", 120 * DAY),
    ("15 10 * * 1-5", 120 * DAY),
    ("0 */2 * * *", 12 * DAY),
    ("@daily", 90 * DAY),
    ("0,30 1-3 * * *", 15 * DAY),
    ("10 30 * * * *", 6 * DAY),
];

/// Monday, 2026-01-05 00:00 UTC.
const EPOCH: Ms = 1_767_571_200_000;
/// Days on which New York changes its clocks, counted from there.
const CHANGES: [i64; 4] = [62, 300, 433, 671];

/// A life with whatever happens, also to backups, caches, versions and clocks.
pub fn scenario(seed: u64) -> Scenario {
    let mut life = plain(seed);
    let mut random = Random::named(seed, "field");
    let gap = calendar(&life.spec).gap_after(life.born / 1000) * 1000;
    let mut more = Vec::new();
    for (when, _) in &life.steps {
        if !random.chance(130) {
            continue;
        }
        let when = (when + random.span(1, 20 * SECOND) - SECOND).clamp(0, life.lasts - 1);
        let for_ = random.span(SECOND, (3 * gap).max(10 * MINUTE));
        let replica = random.below(life.replicas as i64) as usize;
        let fault = field_fault(&mut random, gap, replica, for_);
        if let Step::OldOperator { for_, .. } = fault {
            // Versions that lead in turns.
            let turns = (0..random.between(1, 3)).map(|_| (when + random.below(for_)).min(life.lasts - 1));
            more.extend(turns.map(|when| (when, Step::Depose)));
        }
        more.push((when, fault));
    }
    life.steps.extend(more);
    let mut random = Random::named(seed, "birth");
    if random.chance(150) {
        die_young(&mut random, &mut life);
    }
    life.steps.sort_by_key(|(when, _)| *when);
    life
}

/// Nobody looks when its first slots come, and then processes die before they have written a status: what is known of them is what
/// its Jobs prove.
fn die_young(random: &mut Random, life: &mut Scenario) {
    let first = calendar(&life.spec).next(life.born / 1000).map_or(life.born, |slot| slot * 1000);
    // Created up to four minutes before: its first slots are owed from its creation.
    life.born = (first - random.span(SECOND, 4 * MINUTE)).max(life.born);
    let first = first - life.born;
    let mut faults = vec![(
        0,
        Step::CrashAll {
            down: first + random.span(SECOND, MINUTE),
        },
    )];
    for _ in 0..random.between(1, 6) {
        let fault = Step::Crash {
            replica: random.below(life.replicas as i64) as usize,
            after: random.below(6) as u32,
            down: random.span(500, 20 * SECOND),
        };
        faults.push((first + random.span(SECOND, 2 * MINUTE), fault));
    }
    let last = life.lasts - 1;
    life.steps.extend(faults.into_iter().map(|(when, fault)| (when.min(last), fault)));
}

/// A life in a cluster that agrees with itself.
pub fn plain(seed: u64) -> Scenario {
    let mut random = Random::new(seed);
    let (schedule, lasts) = *random.pick(&SCHEDULES);
    let zone = if random.chance(300) { "America/New_York" } else { "UTC" };
    let mut spec = json!({
        "schedule": schedule,
        "timeZone": zone,
        "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "busybox"}], "restartPolicy": "Never"}}}},
    });
    let day = if zone != "UTC" && random.chance(700) {
        *random.pick(&CHANGES) - random.between(0, (lasts / DAY).min(40))
    } else {
        random.below(700)
    };
    let born = EPOCH + day * DAY + random.below(DAY);
    let lasts = lasts / 2 + random.below(lasts);
    for field in 0..8 {
        if random.chance(350) || field == 0 {
            merge(&mut spec, change(&mut random, field, born));
        }
    }
    for field in 9..11 {
        if SCHEDULE_FEATURES && random.chance(200) {
            let known = spec.clone();
            merge(&mut spec, change(&mut random, field, born));
            if calendar(&spec).next(born / 1000).is_none() {
                spec = known;
            }
        }
    }
    if SCHEDULE_FEATURES && random.chance(150) {
        let plain = Calendar::of(&punctual::api::ObservedSchedule {
            schedule: Some(schedule.into()),
            time_zone: "UTC".into(),
            ..Default::default()
        });
        let gap = plain.slots(born / 1000, born / 1000 + 9 * 86_400);
        let gap = gap.windows(2).map(|two| two[1] - two[0]).min().unwrap_or(1);
        merge(&mut spec, json!({"jitter": format!("{}s", gap * random.between(1, 9) / 10)}));
    }
    let calendar = calendar(&spec);
    let gap = calendar.gap_after(born / 1000) * 1000;
    let temper = temper(&mut random, gap);
    let replicas = random.between(1, 3) as usize;
    let mut steps = Vec::new();
    let wild = random.pick(&[3, 8, 15, 30, 45]);
    let mut last = 0;
    for _ in 0..random.between(1, *wild) {
        // Troubles come in swarms, and at the very moment of a slot.
        let when = match random.below(10) {
            0..3 => last + random.span(1, 20 * SECOND),
            3..8 => {
                let near = born + random.below(lasts);
                let slot = calendar.next(near / 1000).map_or(near, |slot| slot * 1000) - born;
                slot + if random.chance(600) {
                    random.between(-1500, 1500)
                } else {
                    random.between(-20 * SECOND, 40 * SECOND)
                }
            }
            _ => random.below(lasts),
        };
        last = when.clamp(0, lasts - 1);
        let step = step(&mut random, gap, &temper, replicas, born + last);
        steps.push((last, step));
    }
    steps.sort_by_key(|(when, _)| *when);
    Scenario {
        seed,
        born,
        lasts,
        replicas,
        spec,
        temper,
        steps,
    }
}

fn calendar(spec: &Value) -> Calendar {
    let fields = ScheduledTaskSpec::read(spec).unwrap_or_else(|error| panic!("{error}: {spec}"));
    Calendar::of(&fields.observed_schedule())
}

pub fn merge(spec: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else { return };
    let spec = spec.as_object_mut().expect("a spec");
    for (field, value) in patch {
        if value.is_null() {
            spec.remove(&field);
        } else {
            spec.insert(field, value);
        }
    }
}

fn temper(random: &mut Random, gap: Ms) -> Temper {
    let share = *random.pick(&[2, 10, 30, 60, 110, 250]);
    Temper {
        work: (gap / 100 * share).clamp(500, 6 * HOUR),
        fails: *random.pick(&[0, 50, 300, 700]),
        fails_for_good: *random.pick(&[0, 0, 300]),
        never_ready: *random.pick(&[0, 0, 0, 150]),
        queued: *random.pick(&[0, 0, 0, 250]),
        slow_to_die: *random.pick(&[0, 0, 300]),
    }
}

fn step(random: &mut Random, gap: Ms, known: &Temper, replicas: usize, now: Ms) -> Step {
    let replica = random.below(replicas as i64) as usize;
    let for_ = if random.chance(600) {
        random.span(SECOND, 5 * MINUTE)
    } else {
        random.span(SECOND, (3 * gap).max(10 * MINUTE))
    };
    let verb = *random.pick(&[Verb::Post, Verb::Put, Verb::Delete, Verb::Get, Verb::Log, Verb::Log]);
    let stream = *random.pick(&[Stream::Tasks, Stream::Jobs]);
    let value = format!("w{:06x}", random.below(1 << 24));
    match random.below(100) {
        0..14 => Step::Edit(edit(random, now)),
        14..17 => Step::Edit(json!({"suspend": true})),
        17..21 => Step::Edit(json!({"suspend": false})),
        21..27 => Step::RunNow(value),
        27..30 => Step::Resume(value),
        30..34 => Step::Backfill {
            ago: random.span(1, 3 * gap),
            long: random.span(gap / 2, 30 * gap),
        },
        34 => Step::TakeBack,
        35 if random.chance(500) => Step::DamageLog(*random.pick(&[Damage::Deleted, Damage::Emptied, Damage::Garbled, Damage::Cut])),
        35..38 => Step::DeleteJob(random.below(1000) as usize),
        38 => Step::Unlabel(random.below(1000) as usize),
        39 if random.chance(150) => Step::DeleteStatus,
        39 | 40 => Step::Touch,
        41 if random.chance(400) => Step::Squat { for_ },
        41 => Step::Forge {
            forgery: Forgery {
                kind: *random.pick(&[Kind::Next, Kind::Next, Kind::Past, Kind::FarAhead, Kind::Retry, Kind::Manual]),
                marked: random.chance(500),
                ended: *random.pick(&[None, Some(true), Some(false)]),
            },
            for_,
        },
        42 => Step::Preempt { for_ },
        43..45 => Step::Temper(if random.chance(500) { known.clone() } else { temper(random, gap) }),
        45..53 => Step::Crash {
            replica,
            after: random.below(6) as u32,
            down: random.span(500, 2 * MINUTE),
        },
        53..55 => Step::CrashAll { down: for_ },
        55..61 => Step::Freeze {
            before: if random.chance(200) {
                Moment::Anything
            } else {
                Moment::Before(verb)
            },
            for_: random.span(SECOND, 10 * MINUTE),
        },
        61..65 => Step::Depose,
        65..71 => Step::LoseAnswers(verb, random.between(1, 3) as u32),
        71..74 => Step::DropRequests(verb, random.between(1, 4) as u32),
        74..77 => Step::Silence { for_ },
        77..79 => Step::RefuseCreates { for_ },
        79 => Step::RefuseDeletes { for_ },
        80 => Step::RefusePods { for_ },
        81 => Step::RefuseStatus { for_ },
        82..84 => Step::Quota {
            jobs: random.below(5) as usize,
            for_,
        },
        84 => Step::HoldDeletions { for_ },
        85..89 => Step::Lag {
            replica,
            stream,
            by: random.span(50, 5 * MINUTE),
            for_,
        },
        89..94 => Step::WatchDies { replica, stream, for_ },
        _ => {
            let by = random.span(SECOND, (4 * gap).min(DAY));
            Step::Clock {
                by: if random.chance(500) { by } else { -by },
                for_,
            }
        }
    }
}

/// What happens to clusters in the field: backups, caches, versions and clocks that do not agree.
fn field_fault(random: &mut Random, gap: Ms, replica: usize, for_: Ms) -> Step {
    match random.below(12) {
        0..3 => Step::Restore {
            ago: random.span(SECOND, (6 * gap).max(HOUR)),
            is_bumped: random.chance(600),
        },
        3..6 => Step::OldCache {
            replica,
            by: random.span(SECOND, 5 * MINUTE),
            lists: random.chance(700),
            gets: random.chance(300),
            for_,
        },
        6..8 => {
            let mut drops = *random.pick(&Dropped::ALL);
            for field in Dropped::ALL {
                drops = if random.chance(250) { drops.and(field) } else { drops };
            }
            Step::OldCrd {
                drops,
                for_: for_.max(random.span(gap, 8 * gap)),
            }
        }
        8..10 => {
            let by = random.span(SECOND / 2, 20 * SECOND);
            Step::Skew {
                replica,
                by: if random.chance(500) { by } else { -by },
                for_: for_.max(random.span(gap, 8 * gap)),
            }
        }
        _ => {
            let older = Dropped::ACCEPTED_GENERATION.and(Dropped::SUSPENSION);
            Step::OldOperator {
                replica,
                drops: if random.chance(500) {
                    older
                } else {
                    older.and(Dropped::EXIT_CODES)
                },
                for_: for_.max(random.span(gap, 8 * gap)),
            }
        }
    }
}
