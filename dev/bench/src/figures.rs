//! What each plot shows: the lines or bars of a figure, with their axes.
//!
//! Input: the book. Output: values to draw. `plots` draws them.

use crate::book::{Book, Figure, Point};
use crate::peer::Peer;

/// An axis, in the coordinates in which it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub label: &'static str,
    /// Whether coordinates are decimal logarithms of the values.
    pub log: bool,
    pub from: f64,
    pub to: f64,
}

impl Axis {
    fn around(label: &'static str, log: bool, values: impl Iterator<Item = f64> + Clone) -> Axis {
        let (low, high) = (
            values.clone().fold(f64::INFINITY, f64::min),
            values.fold(f64::NEG_INFINITY, f64::max),
        );
        let (from, to) = match log {
            true => (
                low.floor(),
                if high.ceil() > low.floor() {
                    high.ceil()
                } else {
                    high.ceil() + 1.0
                },
            ),
            false => (0.0, if high > 0.0 { high * 1.1 } else { 1.0 }),
        };
        Axis { label, log, from, to }
    }

    /// A coordinate as people read it.
    pub fn text(&self, coordinate: f64) -> String {
        let value = if self.log { 10_f64.powf(coordinate) } else { coordinate };
        match value {
            value if value >= 1000.0 => format!("{:.0}k", value / 1000.0),
            value if value >= 10.0 || value == 0.0 => format!("{value:.0}"),
            value if value >= 1.0 => trimmed(&format!("{value:.1}")),
            value => trimmed(&format!("{value:.4}")),
        }
    }
}

fn trimmed(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Lines over two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    pub x: Axis,
    pub y: Axis,
    /// Names and points, in coordinates of the axes.
    pub lines: Vec<(String, Vec<Point>)>,
    /// Whether each point is marked.
    pub marks: bool,
}

/// One bar for each name, made of parts on top of each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    pub parts: Vec<&'static str>,
    /// Names and the size of each part.
    pub bars: Vec<(String, Vec<f64>)>,
    pub y: Axis,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Drawing {
    Lines(Lines),
    Bars(Bars),
}

/// The kinds of requests in the order in which bars show them.
pub const REQUEST_KINDS: [&str; 7] = ["create Job", "write status", "delete Job", "event", "claims log", "read", "other"];

/// The drawing of a figure, if there is something to draw.
pub fn drawing(book: &Book, figure: Figure) -> Option<Drawing> {
    let mut curves = book.curves(figure);
    // So that it has the same colors in every plot.
    curves.sort_by_key(|(name, _)| !name.starts_with(Peer::Ours.name()));
    let (x_label, x_log, y_label, y_log, marks) = match figure {
        Figure::Requests => return bars(curves),
        Figure::Lateness => ("percent of the herd that has started", false, "seconds after the slot", true, false),
        Figure::Memory => ("tasks", false, "resident memory, MiB", false, true),
        Figure::CpuPerRun => ("tasks due at one slot", true, "CPU time a run, ms", false, true),
        Figure::RequestsPerRun => ("tasks due at one slot", true, "API requests a run", false, true),
    };
    let scale = |log: bool, value: f64| if log { (value > 0.0).then(|| value.log10()) } else { Some(value) };
    let lines: Vec<(String, Vec<Point>)> = curves
        .into_iter()
        .map(|(name, points)| {
            let scaled = points.iter().filter_map(|(x, y)| Some((scale(x_log, *x)?, scale(y_log, *y)?)));
            (name.to_owned(), scaled.collect::<Vec<Point>>())
        })
        .filter(|(_, points)| !points.is_empty())
        .collect();
    if lines.is_empty() {
        return None;
    }
    let all = lines.iter().flat_map(|(_, points)| points);
    let mut x = Axis::around(x_label, x_log, all.clone().map(|(x, _)| *x));
    if figure == Figure::Lateness {
        x.to = 100.0;
    }
    Some(Drawing::Lines(Lines {
        x,
        y: Axis::around(y_label, y_log, all.map(|(_, y)| *y)),
        lines,
        marks,
    }))
}

fn bars(curves: Vec<(&str, Vec<Point>)>) -> Option<Drawing> {
    let bars: Vec<(String, Vec<f64>)> = curves
        .into_iter()
        .map(|(name, points)| (name.to_owned(), points.iter().map(|(_, value)| *value).collect()))
        .collect();
    let totals: Vec<f64> = bars.iter().map(|(_, parts): &(String, Vec<f64>)| parts.iter().sum()).collect();
    if totals.is_empty() {
        return None;
    }
    Some(Drawing::Bars(Bars {
        parts: REQUEST_KINDS.to_vec(),
        y: Axis::around("API requests a run", false, totals.into_iter()),
        bars,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_without_curves_is_not_drawn() {
        assert_eq!(drawing(&Book::default(), Figure::Lateness), None);
        assert_eq!(drawing(&Book::default(), Figure::Requests), None);
    }

    #[test]
    fn lateness_is_drawn_in_decades() {
        let mut book = Book::default();
        book.curve(Figure::Lateness, "Punctual", vec![(1.0, 0.05), (100.0, 1.0)]);
        book.curve(Figure::Lateness, "CronJob", vec![(1.0, 0.0), (100.0, 118.0)]);
        let Some(Drawing::Lines(lines)) = drawing(&book, Figure::Lateness) else {
            panic!("no lines")
        };
        assert_eq!((lines.y.from, lines.y.to), (-2.0, 3.0));
        assert_eq!(lines.lines[1].1.len(), 1, "what has no logarithm is left out");
        assert_eq!(
            (lines.y.text(-2.0), lines.y.text(0.0), lines.y.text(3.0)),
            ("0.01".into(), "1".into(), "1k".into())
        );
    }

    #[test]
    fn costs_begin_at_nothing() {
        let mut book = Book::default();
        book.curve(Figure::CpuPerRun, "Punctual", vec![(100.0, 0.5), (10_000.0, 0.4)]);
        let Some(Drawing::Lines(lines)) = drawing(&book, Figure::CpuPerRun) else {
            panic!("no lines")
        };
        assert_eq!((lines.x.from, lines.x.to, lines.y.from), (2.0, 4.0, 0.0));
        assert!(lines.y.to > 0.5);
    }

    #[test]
    fn bars_are_as_high_as_their_parts_together() {
        let mut book = Book::default();
        book.curve(Figure::Requests, "Punctual", vec![(0.0, 1.0), (1.0, 1.5)]);
        let Some(Drawing::Bars(bars)) = drawing(&book, Figure::Requests) else {
            panic!("no bars")
        };
        assert_eq!(bars.bars, [("Punctual".to_owned(), vec![1.0, 1.5])]);
        assert!(bars.y.to >= 2.5);
    }
}
