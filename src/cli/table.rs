//! Formats rows of cells as aligned columns, as kubectl does.

use crate::api::printable;

/// A cell: one printable line, perhaps in a colour.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    colour: Option<u8>,
}

impl Cell {
    /// A cell in one of the colours of a terminal (30 to 37).
    pub fn coloured(text: impl Into<String>, colour: u8) -> Self {
        Self {
            colour: Some(colour),
            ..Self::from(text)
        }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: printable(&text.into()).into_owned(),
            colour: None,
        }
    }
}

/// How a table is formatted.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Spaces between columns.
    pub gap: usize,
    /// The maximum length of a line.
    pub width: Option<usize>,
    pub colour: bool,
}

/// Formats a table: a header and rows of the same length. Lines have no trailing spaces.
pub fn format(head: &[&str], rows: Vec<Vec<Cell>>, style: Style) -> String {
    let head = head.iter().map(|word| Cell::from(*word)).collect();
    let rows: Vec<Vec<Cell>> = std::iter::once(head).chain(rows).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or(0))
        .collect();
    rows.iter().map(|row| line(row, &widths, style) + "\n").collect()
}

fn line(row: &[Cell], widths: &[usize], style: Style) -> String {
    let last = row.iter().rposition(|cell| !cell.text.is_empty()).unwrap_or(0);
    let before: usize = widths.iter().take(last).map(|width| width + style.gap).sum();
    let whole = before + row.get(last).map_or(0, Cell::width);
    let cut = style.width.filter(|width| whole > *width);
    let mut left = cut.map_or(usize::MAX, |width| width.saturating_sub(1));
    let mut line = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate().take(last + 1) {
        let text: String = cell.text.chars().take(left).collect();
        left -= text.chars().count();
        match cell.colour.filter(|_| style.colour && !text.is_empty()) {
            Some(colour) => line.push_str(&format!("\x1b[{colour}m{text}\x1b[0m")),
            None => line.push_str(&text),
        }
        if column < last {
            let blanks = (width.saturating_sub(cell.width()) + style.gap).min(left);
            left -= blanks;
            line.push_str(&" ".repeat(blanks));
        }
    }
    let mut line = line.trim_end().to_owned();
    if cut.is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(width: Option<usize>, colour: bool) -> Style {
        Style { gap: 2, width, colour }
    }

    fn rows() -> Vec<Vec<Cell>> {
        vec![
            vec!["a".into(), Cell::coloured("red", 31), "the long message of a container".into()],
            vec!["longer".into(), "".into(), "".into()],
        ]
    }

    #[test]
    fn columns_are_aligned_without_trailing_spaces() {
        let text = format(&["X", "COLOUR", "MESSAGE"], rows(), style(None, false));
        assert_eq!(
            text,
            "X       COLOUR  MESSAGE\na       red     the long message of a container\nlonger\n"
        );
    }

    #[test]
    fn lines_are_cut_to_the_width() {
        let text = format(&["X", "COLOUR", "MESSAGE"], rows(), style(Some(24), true));
        assert_eq!(text, "X       COLOUR  MESSAGE\na       \x1b[31mred\x1b[0m     the lon…\nlonger\n");
    }
}
