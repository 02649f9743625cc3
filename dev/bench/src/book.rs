//! Everything that was measured, by row and by whom it was measured of: one value a round.
//!
//! Measurements write into it; tables and plots are made of it.

use std::collections::BTreeMap;

use crate::peer::Peer;
use crate::stats::Spread;

/// Whom a value is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// R, the ceiling: bare POSTs of the same Job.
    Ceiling,
    /// A scheduler.
    Peer(Peer),
}

impl Subject {
    /// In the order of the table's columns.
    pub const ALL: [Subject; 4] = [
        Subject::Ceiling,
        Subject::Peer(Peer::Ours),
        Subject::Peer(Peer::CronJobTuned),
        Subject::Peer(Peer::CronJobDefault),
    ];

    /// In headings.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Ceiling => "R",
            Subject::Peer(peer) => peer.name(),
        }
    }
}

/// What a value is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Jobs a second.
    JobsPerSecond,
    /// A part of R.
    PartOfCeiling,
    Seconds,
    /// Seconds of CPU time, usually few.
    CpuSeconds,
    /// Percent of one core.
    PercentOfCore,
    /// Percent of what was due.
    Percent,
    MiB,
    /// A whole number.
    Count,
    /// API requests a run.
    PerRun,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub section: String,
    pub label: String,
    pub unit: Unit,
    values: BTreeMap<Subject, Vec<f64>>,
}

impl Row {
    /// What was measured of `subject`, in all rounds.
    pub fn spread(&self, subject: Subject) -> Option<Spread> {
        Spread::of(self.values.get(&subject)?)
    }
}

/// A point of a curve.
pub type Point = (f64, f64);

/// What a plot shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Lateness (s) over the part of the herd that is started (percent).
    Lateness,
    /// API requests a run, by verb.
    Requests,
    /// Memory (MiB) over the number of tasks.
    Memory,
    /// CPU (ms) a run over the number of tasks of the herd.
    CpuPerRun,
    /// API requests a run over the number of tasks of the herd.
    RequestsPerRun,
}

/// All rows and curves, in the order in which they were first measured.
#[derive(Clone, Debug, Default)]
pub struct Book {
    rows: Vec<Row>,
    curves: Vec<(Figure, String, Vec<Point>)>,
    /// Values over a number of tasks, of all rounds.
    points: BTreeMap<(Figure, String), BTreeMap<usize, Vec<f64>>>,
    notes: Vec<String>,
}

impl Book {
    /// Adds the value of one round.
    pub fn add(&mut self, section: &str, label: &str, unit: Unit, subject: Subject, value: f64) {
        let row = match self.rows.iter_mut().position(|row| row.section == section && row.label == label) {
            Some(found) => self.rows.get_mut(found),
            None => {
                self.rows.push(Row {
                    section: section.to_owned(),
                    label: label.to_owned(),
                    unit,
                    values: BTreeMap::new(),
                });
                self.rows.last_mut()
            }
        };
        if let Some(row) = row {
            row.values.entry(subject).or_default().push(value);
        }
    }

    /// Sets the curve of that name; a later round replaces an earlier one.
    pub fn curve(&mut self, figure: Figure, name: &str, points: Vec<Point>) {
        self.curves.retain(|(of, known, _)| *of != figure || known != name);
        self.curves.push((figure, name.to_owned(), points));
    }

    /// Adds the value of one round to a line over the number of tasks.
    pub fn point(&mut self, figure: Figure, line: &str, tasks: usize, value: f64) {
        let line = self.points.entry((figure, line.to_owned())).or_default();
        line.entry(tasks).or_default().push(value);
    }

    /// Something that a reader of the figures must know.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The sections, in the order in which their first rows were measured, each with its rows.
    pub fn sections(&self) -> Vec<(&str, Vec<&Row>)> {
        let mut sections: Vec<(&str, Vec<&Row>)> = Vec::new();
        for row in &self.rows {
            match sections.iter_mut().find(|(name, _)| *name == row.section) {
                Some((_, rows)) => rows.push(row),
                None => sections.push((&row.section, vec![row])),
            }
        }
        sections
    }

    /// The curves of a figure: names and points, which are medians where there were several rounds.
    pub fn curves(&self, figure: Figure) -> Vec<(&str, Vec<Point>)> {
        let whole = self.curves.iter().filter(|(of, ..)| *of == figure);
        let whole = whole.map(|(_, name, points)| (name.as_str(), points.clone()));
        let medians = self.points.iter().filter(|((of, _), _)| *of == figure).map(|((_, name), values)| {
            let median = |(tasks, values): (&usize, &Vec<f64>)| Some((*tasks as f64, Spread::of(values)?.median));
            (name.as_str(), values.iter().filter_map(median).collect())
        });
        whole.chain(medians).collect()
    }

    /// What a reader of the figures must know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_of_one_row_come_together() {
        let mut book = Book::default();
        let ours = Subject::Peer(Peer::Ours);
        for value in [10.0, 30.0, 20.0] {
            book.add("Herds", "1,000 tasks", Unit::JobsPerSecond, ours, value);
        }
        book.add("Memory", "RSS", Unit::MiB, ours, 1.0);
        book.add("Herds", "5,000 tasks", Unit::JobsPerSecond, ours, 1.0);
        let sections = book.sections();
        let names: Vec<(&str, usize)> = sections.iter().map(|(name, rows)| (*name, rows.len())).collect();
        assert_eq!(names, [("Herds", 2), ("Memory", 1)]);
        let spread = sections[0].1[0].spread(ours).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (20.0, 10.0, 30.0));
        assert_eq!(sections[0].1[0].spread(Subject::Ceiling), None);
    }

    #[test]
    fn the_last_round_of_a_curve_stands() {
        let mut book = Book::default();
        book.curve(Figure::Lateness, "Punctual", vec![(0.0, 1.0)]);
        book.curve(Figure::Lateness, "Punctual", vec![(0.0, 2.0)]);
        assert_eq!(book.curves(Figure::Lateness), [("Punctual", vec![(0.0, 2.0)])]);
        assert!(book.curves(Figure::Memory).is_empty());
    }

    #[test]
    fn a_point_is_the_median_of_its_rounds() {
        let mut book = Book::default();
        for (tasks, value) in [(5000, 2.0), (100, 9.0), (5000, 4.0), (5000, 3.0)] {
            book.point(Figure::CpuPerRun, "Punctual", tasks, value);
        }
        assert_eq!(book.curves(Figure::CpuPerRun), [("Punctual", vec![(100.0, 9.0), (5000.0, 3.0)])]);
    }
}
