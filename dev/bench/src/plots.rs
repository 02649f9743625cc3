//! Draws figures as SVG.
//!
//! The text of an SVG is set by whoever shows it, so no font of this machine is needed.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::figures::{Bars, Drawing, Lines};

const SIZE: (u32, u32) = (760, 420);
const FONT: &str = "sans-serif";
const LINE_COLORS: [RGBColor; 5] = [
    RGBColor(31, 119, 180),
    RGBColor(255, 127, 14),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(127, 127, 127),
];
const PART_COLORS: [RGBColor; 7] = [
    RGBColor(31, 119, 180),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(255, 187, 120),
    RGBColor(23, 190, 207),
    RGBColor(214, 39, 40),
    RGBColor(127, 127, 127),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The SVG document.
pub fn svg(title: &str, drawing: &Drawing) -> Result<String> {
    let mut document = String::new();
    {
        let area = SVGBackend::with_string(&mut document, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        match drawing {
            Drawing::Lines(lines) => draw_lines(&area, title, lines)?,
            Drawing::Bars(bars) => draw_bars(&area, title, bars)?,
        }
        area.present().map_err(failed)?;
    }
    Ok(document)
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

fn color(colors: &[RGBColor], number: usize) -> RGBColor {
    colors.get(number % colors.len()).copied().unwrap_or(BLACK)
}

fn draw_lines(area: &Area, title: &str, lines: &Lines) -> Result<()> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 20))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(lines.x.from..lines.x.to, lines.y.from..lines.y.to)
        .map_err(failed)?;
    let ticks = |log: bool, from: f64, to: f64| if log { (to - from).round() as usize + 1 } else { 8 };
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(ticks(lines.x.log, lines.x.from, lines.x.to))
        .y_labels(ticks(lines.y.log, lines.y.from, lines.y.to))
        .x_label_formatter(&|x| lines.x.text(*x))
        .y_label_formatter(&|y| lines.y.text(*y))
        .x_desc(lines.x.label)
        .y_desc(lines.y.label)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .draw()
        .map_err(failed)?;
    for (number, (name, points)) in lines.lines.iter().enumerate() {
        let color = color(&LINE_COLORS, number);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))
            .map_err(failed)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        if lines.marks {
            let marks = points.iter().map(|point| Circle::new(*point, 4, color.filled()));
            chart.draw_series(marks).map_err(failed)?;
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 14))
        .draw()
        .map_err(failed)
}

fn draw_bars(area: &Area, title: &str, bars: &Bars) -> Result<()> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 20))
        .margin(14)
        .x_label_area_size(36)
        .y_label_area_size(64)
        // Room for the legend on the right.
        .build_cartesian_2d(0.0..bars.bars.len() as f64 + 0.8, bars.y.from..bars.y.to)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(0)
        .y_labels(8)
        .y_label_formatter(&|y| bars.y.text(*y))
        .y_desc(bars.y.label)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .draw()
        .map_err(failed)?;
    for (part, name) in bars.parts.iter().enumerate() {
        let color = color(&PART_COLORS, part);
        let rectangles = bars.bars.iter().enumerate().filter_map(|(number, (_, sizes))| {
            let size = sizes.get(part).copied().filter(|size| *size > 0.0)?;
            let below: f64 = sizes.iter().take(part).sum();
            let left = number as f64 + 0.2;
            Some(Rectangle::new([(left, below), (left + 0.6, below + size)], color.filled()))
        });
        chart
            .draw_series(rectangles)
            .map_err(failed)?
            .label(*name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], color.filled()));
    }
    let style = (FONT, 14).into_font().color(&BLACK);
    for (number, (name, sizes)) in bars.bars.iter().enumerate() {
        let total: f64 = sizes.iter().sum();
        let text = format!("{name}: {total:.2}");
        let label = Text::new(text, (number as f64 + 0.2, total + bars.y.to * 0.05), style.clone());
        chart.draw_series([label]).map_err(failed)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 14))
        .draw()
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Book, Figure};
    use crate::figures::drawing;

    #[test]
    fn a_plot_of_lines_names_its_lines_and_axes() {
        let mut book = Book::default();
        book.curve(Figure::Memory, "Punctual", vec![(1000.0, 30.0), (10_000.0, 60.0)]);
        book.curve(Figure::Memory, "templates of 4 KiB", vec![(10_000.0, 100.0)]);
        let svg = svg("Memory", &drawing(&book, Figure::Memory).unwrap()).unwrap();
        for text in [
            "<svg",
            "Memory",
            "Punctual",
            "templates of 4 KiB",
            "resident memory, MiB",
            "<polyline",
            "<circle",
        ] {
            assert!(svg.contains(text), "{text} is not in {svg}");
        }
    }

    #[test]
    fn a_plot_of_bars_names_its_bars_and_parts() {
        let mut book = Book::default();
        book.curve(Figure::Requests, "Punctual", vec![(0.0, 1.0), (1.0, 1.4)]);
        book.curve(Figure::Requests, "CronJob, tuned", vec![(0.0, 1.0), (1.0, 6.0)]);
        let svg = svg("Requests", &drawing(&book, Figure::Requests).unwrap()).unwrap();
        for text in ["Punctual: 2.40", "CronJob, tuned: 7.00", "create Job", "write status"] {
            assert!(svg.contains(text), "{text} is not in {svg}");
        }
    }
}
