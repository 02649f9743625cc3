//! The figures of a campaign, for people.
//!
//! Takes books, gives a table. Never judges.

use crate::books::{Books, Cost};
use crate::fault::Kind;
use crate::harness::Pace;
use jiff::SignedDuration;
use std::fmt::Write;

fn percentile(mut all: Vec<SignedDuration>, percent: usize) -> String {
    all.sort();
    let Some(last) = all.len().checked_sub(1) else {
        return "–".into();
    };
    let rank = (all.len() * percent).div_ceil(100).clamp(1, last + 1) - 1;
    format!("{:.2}", all[rank].as_secs_f64())
}

fn row(table: &mut String, pace: Pace, name: &str, costs: &[&Cost]) {
    if costs.is_empty() {
        return;
    }
    let of = |value: fn(&Cost) -> SignedDuration, percent| percentile(costs.iter().map(|cost| value(cost)).collect(), percent);
    let (owed, met) = costs.iter().fold((0, 0), |sum, cost| (sum.0 + cost.gap.0, sum.1 + cost.gap.1));
    let _ = writeln!(
        table,
        "| {} | {name} | {} | {} / {} / {} | {} / {} / {} | {} / {} | {met} of {owed} |",
        pace.name,
        costs.len(),
        of(|cost| cost.lease, 50),
        of(|cost| cost.lease, 99),
        of(|cost| cost.lease, 100),
        of(|cost| cost.work, 50),
        of(|cost| cost.work, 99),
        of(|cost| cost.work, 100),
        of(|cost| cost.lateness, 50),
        of(|cost| cost.lateness, 100),
    );
}

pub fn table(campaigns: &[(Pace, &Vec<Books>)]) -> String {
    let mut table = String::from(
        "\nSeconds from the fault: until the lease is another's, until its first Job or status (p50 / p99 / longest); lateness of the latest slot in the gap (p50 / longest).\n\n\
         | lease | fault | changes | lease taken | first write | latest slot | slots of the gap with a Job (Allow) |\n|---|---|---|---|---|---|---|\n",
    );
    for (pace, books) in campaigns {
        let costs: Vec<&Cost> = books.iter().flat_map(|books| &books.costs).collect();
        for kind in Kind::ALL {
            let of_kind: Vec<&Cost> = costs.iter().filter(|cost| cost.kind == kind).copied().collect();
            row(&mut table, *pace, kind.shown(), &of_kind);
        }
        for (name, graceful) in [("**crash, all kinds**", false), ("**graceful**", true)] {
            let of_kind: Vec<&Cost> = costs.iter().filter(|cost| cost.kind.is_graceful() == graceful).copied().collect();
            row(&mut table, *pace, name, &of_kind);
        }
    }
    table.push_str("\n| lease | changes | of them beside the leader | slots | started | skipped, said so | superseded (Replace) | lost | doubled | overlapped (Forbid, Queue) | writes | received in another's turn | of them with an effect | after the own deadline | after the own release |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (pace, books) in campaigns {
        let sum = |value: fn(&Books) -> usize| books.iter().map(value).sum::<usize>();
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            pace.name,
            sum(|books| books.costs.len() + books.unplanned),
            sum(|books| books.unplanned),
            sum(|books| books.slots),
            sum(|books| books.started),
            sum(|books| books.skipped),
            sum(|books| books.superseded),
            sum(|books| books.lost),
            sum(|books| books.doubled),
            sum(|books| books.overlapped),
            sum(|books| books.writes),
            sum(|books| books.usurped),
            sum(|books| books.usurping),
            sum(|books| books.late_writes),
            sum(|books| books.after_release),
        );
    }
    for note in campaigns.iter().flat_map(|(_, books)| books.iter()).flat_map(|books| &books.notes) {
        let _ = writeln!(table, "- {note}");
    }
    table
}
