//! Several expressions, less what is excluded, within a task's life: the slots of a definition.
//!
//! Takes instants; gives the slots first, last and counted in a range of them. An instant that several expressions name is
//! one slot. Each expression is asked for itself ([`super::wall`], [`super::every`]); where many of its slots in a row are
//! excluded, [`super::days`] goes on. Never reads a clock.
//!
//! Instants are Unix seconds.

use std::ops::Range;

use super::bits::{DAY, Seconds};
use super::crontab::KNOWN;
use super::daylight::Passage;
use super::days::Days;
use super::every::Every;
use super::exclude::Excluded;
use super::wall::{MARGIN, Wall};
use super::zone::Zone;

/// So many excluded slots in a row are stepped over one by one.
const STEPS: usize = 16;

/// One expression.
#[derive(Clone, Debug)]
pub(super) enum Member {
    Every(Every),
    Wall(Wall),
}

/// Several expressions, less what is excluded.
#[derive(Clone, Debug)]
pub(super) struct Union {
    members: Vec<Member>,
    pub(super) zone: Zone,
    pub(super) excluded: Excluded,
    /// No slot lies outside.
    life: Range<i64>,
}

impl Member {
    fn first(&self, zone: &Zone, range: &Range<i64>) -> Option<i64> {
        match self {
            Member::Every(every) => every.first(range.clone()),
            Member::Wall(wall) => wall.first(zone, range),
        }
    }

    fn last(&self, zone: &Zone, range: &Range<i64>) -> Option<i64> {
        match self {
            Member::Every(every) => every.last(range.clone()),
            Member::Wall(wall) => wall.last(zone, range),
        }
    }

    fn count(&self, zone: &Zone, range: &Range<i64>) -> u64 {
        match self {
            Member::Every(every) => every.count(range.clone()),
            Member::Wall(wall) => wall.count(zone, range),
        }
    }
}

impl Union {
    pub(super) fn of(members: Vec<Member>, zone: Zone, excluded: Excluded, life: Range<i64>) -> Union {
        // Beyond the years that crontabs know, nothing could be excluded, and `@every` would never end.
        let simple = members.len() == 1 && excluded.crontabs.is_empty();
        let life = if simple {
            life
        } else {
            life.start.max(KNOWN.start + MARGIN)..life.end.min(KNOWN.end - MARGIN)
        };
        Union {
            members,
            zone,
            excluded,
            life,
        }
    }

    /// The first slot in `range`.
    pub(super) fn first(&self, range: Range<i64>) -> Option<i64> {
        self.open(range).iter().find_map(|part| self.earliest(part))
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, range: Range<i64>) -> Option<i64> {
        self.open(range).iter().rev().find_map(|part| self.newest(part))
    }

    /// The number of slots in `range`.
    pub(super) fn count(&self, range: Range<i64>) -> u64 {
        let parts = self.open(range);
        match self.members.as_slice() {
            [member] if self.excluded.crontabs.is_empty() => parts.iter().map(|part| member.count(&self.zone, part)).sum(),
            members => {
                let mut days = Days::of(self, members);
                parts.iter().map(|part| days.count(part)).sum()
            }
        }
    }

    /// Whether the times that the clock skipped make a slot: one of them matches, and is not excluded.
    pub(super) fn makes_up(&self, wall: &Wall, passage: &Passage) -> bool {
        let lost = &passage.made_up;
        let days = lost.start.div_euclid(DAY)..=(lost.end - 1).div_euclid(DAY);
        !lost.is_empty() && days.into_iter().any(|day| self.is_lost(wall, lost, day))
    }

    fn is_lost(&self, wall: &Wall, lost: &Range<i64>, day: i64) -> bool {
        if !wall.crontab().on(day) {
            return false;
        }
        let mut times = Seconds::of(wall.crontab().times);
        times.keep(&(lost.start - day * DAY..lost.end - day * DAY));
        let excluded = self.excluded.crontabs.iter().filter(|crontab| crontab.on(day));
        excluded.for_each(|crontab| times.remove(&Seconds::of(crontab.times)));
        times.first().is_some()
    }

    /// What of `range` lies in the task's life and outside of excluded intervals.
    fn open(&self, range: Range<i64>) -> Vec<Range<i64>> {
        self.excluded.open(range.start.max(self.life.start)..range.end.min(self.life.end))
    }

    fn earliest(&self, range: &Range<i64>) -> Option<i64> {
        let mut range = range.clone();
        let mut found = None;
        for n in 0..self.members.len() {
            if let Some(slot) = self.earliest_of(n, range.clone()) {
                range.end = slot;
                found = Some(slot);
            }
        }
        found
    }

    fn earliest_of(&self, n: usize, mut range: Range<i64>) -> Option<i64> {
        for _ in 0..STEPS {
            let slot = self.members[n].first(&self.zone, &range)?;
            if self.stands(&self.members[n], slot) {
                return Some(slot);
            }
            range.start = slot + 1;
        }
        Days::of(self, &self.members[n..=n]).first(&range)
    }

    fn newest(&self, range: &Range<i64>) -> Option<i64> {
        let mut range = range.clone();
        let mut found = None;
        for n in 0..self.members.len() {
            if let Some(slot) = self.newest_of(n, range.clone()) {
                range.start = slot + 1;
                found = Some(slot);
            }
        }
        found
    }

    fn newest_of(&self, n: usize, mut range: Range<i64>) -> Option<i64> {
        for _ in 0..STEPS {
            let slot = self.members[n].last(&self.zone, &range)?;
            if self.stands(&self.members[n], slot) {
                return Some(slot);
            }
            range.end = slot;
        }
        Days::of(self, &self.members[n..=n]).last(&range)
    }

    /// Whether no crontab excludes a member's slot, neither its wall-clock time nor the lost ones that it makes up for.
    fn stands(&self, member: &Member, slot: i64) -> bool {
        if self.excluded.crontabs.is_empty() {
            return true;
        }
        let local = slot + self.zone.offset_at(slot);
        if self.excluded.shows(local) {
            return false;
        }
        match member {
            Member::Every(_) => true,
            Member::Wall(wall) => wall.crontab().shows(local) || self.makes_up(wall, &wall.passage(&self.zone.stretch(slot))),
        }
    }
}
