//! Crontabs less excluding crontabs, on any day.
//!
//! Takes crontabs; gives what each day from 1970 to 2100 holds, by a table of the 91 kinds of months and of the kinds of days
//! in them: days on which the same crontabs match hold the same times. So no question goes over days that hold nothing, and a
//! count costs a look for each month. The table is made once, when the schedule is read. Knows no zone: changes of the clock
//! are for [`super::zoned`].

use std::collections::BTreeMap;
use std::fmt;

use super::bits::DAY;
use super::budget::{self, Excess};
use super::crontab::KNOWN;
use super::expression::Crontab;
use super::grid::Grid;
use super::month::{LIKENESSES, Likeness, Month};
use super::walk::Walk;

/// The days that are known, counted from 1970-01-01.
const DAYS: std::ops::Range<i64> = 0..KNOWN.end / DAY;

/// What crontabs name and others exclude.
#[derive(Clone)]
pub(super) struct Timetable {
    pub(super) grid: Grid,
    months: Vec<Sheet>,
    pub(super) kinds: Vec<Kind>,
    /// What it costs to look at all of a day, in steps, of the kind where that is most.
    pub(super) costliest: u64,
}

/// Days on which the same crontabs match.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kind {
    /// Which ones: see [`Grid`].
    pub(super) crontabs: u64,
    pub(super) slots: u64,
    /// Not all of the day is excluded.
    pub(super) open: bool,
}

/// A kind of month. Bit n is day n.
#[derive(Clone, Debug)]
struct Sheet {
    /// The days that hold slots.
    live: u32,
    /// The days of which not all is excluded.
    open: u32,
    slots: u64,
    /// The kind of each day, from the first on.
    days: Vec<u16>,
}

/// Which days are looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// Those that hold slots.
    Live,
    /// Those of which not all is excluded.
    Open,
}

/// Its tables would fill pages.
impl fmt::Debug for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.kinds.len();
        f.debug_struct("Timetable").field("kinds", &kinds).finish_non_exhaustive()
    }
}

impl Timetable {
    /// # Errors
    /// More kinds of days than are kept, or days that hold too little for what it costs to find it.
    pub(super) fn of(members: &[&Crontab], excluded: &[Crontab], walk: &Walk) -> Result<Timetable, Excess> {
        let times = |crontabs: &mut dyn Iterator<Item = &Crontab>| crontabs.map(|crontab| crontab.times).collect::<Vec<_>>();
        let grid = Grid::of(&times(&mut members.iter().copied()), &times(&mut excluded.iter()));
        let crontabs: Vec<&Crontab> = members.iter().copied().chain(excluded).collect();
        let mut timetable = Timetable {
            // Excluding all day long leaves nothing, whatever else matches.
            months: Vec::with_capacity(LIKENESSES),
            kinds: Vec::new(),
            costliest: 0,
            grid,
        };
        let whole = (0..)
            .zip(&crontabs)
            .skip(members.len())
            .filter(|(_, crontab)| crontab.times.is_whole());
        let whole = whole.fold(0_u64, |whole, (n, _)| whole | 1 << n);
        let mut known = BTreeMap::new();
        for likeness in Likeness::all() {
            let sheet = timetable.sheet(likeness, &crontabs, whole, &mut known, walk)?;
            timetable.months.push(sheet);
        }
        Ok(timetable)
    }

    fn sheet(
        &mut self,
        likeness: Likeness,
        crontabs: &[&Crontab],
        whole: u64,
        known: &mut BTreeMap<u64, u16>,
        walk: &Walk,
    ) -> Result<Sheet, Excess> {
        let length = likeness.length();
        // Days that are alike so far, and the crontabs that match them.
        let mut groups = vec![(u32::MAX >> (31 - length) & !1, 0_u64)];
        for (n, crontab) in crontabs.iter().enumerate() {
            let days = u32::try_from(crontab.days_in(likeness)).unwrap_or_default();
            walk.take(crontab.dates.len() as u64 * 4 + groups.len() as u64);
            let split = groups
                .iter()
                .flat_map(|(group, matching)| [(group & days, matching | 1 << n), (group & !days, *matching)]);
            groups = split.filter(|(group, _)| *group != 0).collect();
        }
        let mut sheet = Sheet {
            live: 0,
            open: 0,
            slots: 0,
            days: vec![0; usize::try_from(length).unwrap_or_default()],
        };
        for (days, matching) in groups {
            let matching = if matching & whole == 0 { matching } else { matching & whole };
            let place = match known.get(&matching) {
                Some(place) => *place,
                None => self.add(matching, matching & whole == 0, known, walk)?,
            };
            let kind = self.kinds.get(usize::from(place)).copied().unwrap_or_default();
            sheet.live |= if kind.slots > 0 { days } else { 0 };
            sheet.open |= if kind.open { days } else { 0 };
            sheet.slots += kind.slots * u64::from(days.count_ones());
            let places = (1..).zip(&mut sheet.days).filter(|(date, _)| days >> date & 1 == 1);
            places.for_each(|(_, day)| *day = place);
        }
        Ok(sheet)
    }

    fn add(&mut self, crontabs: u64, maybe_open: bool, known: &mut BTreeMap<u64, u16>, walk: &Walk) -> Result<u16, Excess> {
        budget::kinds(self.kinds.len() + 1)?;
        let holding = self.grid.holding(crontabs, walk);
        self.costliest = self.costliest.max(holding.steps);
        let first = crontabs & !self.grid.excluding;
        if holding.slots > 0 {
            budget::search(holding.longest, first.trailing_zeros())?;
        }
        budget::reading(walk)?;
        let excluding = crontabs & self.grid.excluding;
        let open = maybe_open && (holding.slots > 0 || excluding == 0 || self.is_open(excluding, walk));
        let place = u16::try_from(self.kinds.len()).unwrap_or_default();
        self.kinds.push(Kind {
            crontabs,
            slots: holding.slots,
            open,
        });
        known.insert(crontabs, place);
        Ok(place)
    }

    fn is_open(&self, excluding: u64, walk: &Walk) -> bool {
        (0..DAY / 60).any(|minute| self.grid.open(excluding, minute, walk) != 0)
    }

    /// What a day is; one that is not known holds nothing.
    pub(super) fn kind(&self, day: i64) -> Kind {
        self.kind_in(Month::of(day), day)
    }

    /// The same of a day of a month.
    pub(super) fn kind_in(&self, month: Month, day: i64) -> Kind {
        let place = self.place_in(month, day);
        place.and_then(|place| self.kinds.get(place)).copied().unwrap_or_default()
    }

    /// The number of a day's kind, if it is known.
    pub(super) fn place_in(&self, month: Month, day: i64) -> Option<usize> {
        if !DAYS.contains(&day) {
            return None;
        }
        let date = usize::try_from(month.date(day) - 1).ok()?;
        self.months
            .get(month.likeness().place())?
            .days
            .get(date)
            .map(|place| usize::from(*place))
    }

    /// The number of slots of a month whose days are all whole.
    pub(super) fn slots_of(&self, month: Month) -> u64 {
        self.sheet_of(month).map_or(0, |sheet| sheet.slots)
    }

    /// The first such day at or after a day.
    pub(super) fn next(&self, wanted: Wanted, day: i64, walk: &Walk) -> Option<i64> {
        let day = day.max(DAYS.start);
        let mut month = Month::of(day);
        let mut from = month.date(day);
        while month.first < DAYS.end {
            walk.take(2);
            let days = self.days(wanted, month) & u32::MAX << from;
            if days != 0 {
                return Some(month.first - 1 + i64::from(days.trailing_zeros()));
            }
            (month, from) = (month.next(), 1);
        }
        None
    }

    /// The last such day at or before a day.
    pub(super) fn previous(&self, wanted: Wanted, day: i64, walk: &Walk) -> Option<i64> {
        let day = day.min(DAYS.end - 1);
        let mut month = Month::of(day);
        let mut until = month.date(day);
        while month.end() > DAYS.start {
            walk.take(2);
            let days = self.days(wanted, month) & u32::MAX >> (31 - until);
            if days != 0 {
                return Some(month.first + 30 - i64::from(days.leading_zeros()));
            }
            month = month.previous();
            until = 31;
        }
        None
    }

    fn days(&self, wanted: Wanted, month: Month) -> u32 {
        self.sheet_of(month).map_or(0, |sheet| match wanted {
            Wanted::Live => sheet.live,
            Wanted::Open => sheet.open,
        })
    }

    fn sheet_of(&self, month: Month) -> Option<&Sheet> {
        self.months.get(month.likeness().place())
    }
}
