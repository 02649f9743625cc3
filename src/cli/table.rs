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

    /// The cell in this width; a cut is marked with `…`.
    fn cut(mut self, width: usize) -> Self {
        if self.width() > width {
            let kept: String = self.text.chars().take(width.saturating_sub(1)).collect();
            self.text = kept.trim_end().to_owned() + "…";
        }
        self
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

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub head: &'static str,
    /// When the column is dropped if lines are too long: the highest first, 0 never.
    pub rank: u8,
    /// The width to which its cells may be cut instead.
    pub least: Option<usize>,
}

impl Column {
    /// A column that always stays.
    pub const fn fixed(head: &'static str) -> Self {
        Self {
            head,
            rank: 0,
            least: None,
        }
    }

    /// A column that is dropped if lines are too long, the highest rank first.
    pub const fn ranked(head: &'static str, rank: u8) -> Self {
        Self { rank, ..Self::fixed(head) }
    }

    /// The same column, whose cells may be cut to this width.
    pub const fn cut_to(self, least: usize) -> Self {
        Self {
            least: Some(least),
            ..self
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

/// A table that is printed in parts: the first part has the header, and later rows are aligned with the rows before them.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    /// The columns that stay, and their widths; `None` before the first part.
    layout: Option<(Vec<usize>, Vec<usize>)>,
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, layout: None }
    }

    /// Formats the next rows. Columns become wider where a cell needs it, and never narrower, as in kubectl.
    pub fn add(&mut self, rows: Vec<Vec<Cell>>, style: Style) -> String {
        let is_first = self.layout.is_none();
        let (kept, widths) = match self.layout.take() {
            None => fit(&self.columns, &rows, style),
            Some((kept, widths)) => {
                let widths = self.grown(&kept, &widths, &rows, style);
                (kept, widths)
            }
        };
        let head = is_first.then(|| self.columns.iter().map(|column| Cell::from(column.head)).collect());
        let rows = head.into_iter().chain(rows).map(|row: Vec<Cell>| {
            let cells = row.into_iter().enumerate().filter_map(|(number, cell)| {
                let place = kept.iter().position(|kept| *kept == number)?;
                Some(cell.cut(*widths.get(place)?))
            });
            cells.collect::<Vec<_>>()
        });
        let text = rows.map(|row| line(&row, &widths, style) + "\n").collect();
        self.layout = Some((kept, widths));
        text
    }

    /// The widths with these rows. Columns that may be cut grow only while the line has room.
    fn grown(&self, kept: &[usize], widths: &[usize], rows: &[Vec<Cell>], style: Style) -> Vec<usize> {
        let mut widths = widths.to_vec();
        for cut_columns in [false, true] {
            for (place, number) in kept.iter().enumerate() {
                let may_be_cut = self.columns.get(*number).is_some_and(|column| column.least.is_some());
                if may_be_cut != cut_columns {
                    continue;
                }
                let line = widths.iter().sum::<usize>() + kept.len().saturating_sub(1) * style.gap;
                let spare = style.width.map_or(usize::MAX, |most| most.saturating_sub(line));
                let cells = rows.iter().filter_map(|row| row.get(*number)).map(Cell::width);
                if let Some(width) = widths.get_mut(place) {
                    let wanted = cells.max().unwrap_or(0).saturating_sub(*width);
                    *width += if may_be_cut { wanted.min(spare) } else { wanted };
                }
            }
        }
        widths
    }
}

/// Formats a table: a header and rows of the same length. Lines have no trailing spaces. If they are too long, columns that may be cut
/// are cut, then columns are dropped by their rank, and at last the lines are cut.
pub fn format(columns: &[Column], rows: Vec<Vec<Cell>>, style: Style) -> String {
    Table::new(columns.to_vec()).add(rows, style)
}

/// The columns that stay, and their widths.
pub fn fit(columns: &[Column], rows: &[Vec<Cell>], style: Style) -> (Vec<usize>, Vec<usize>) {
    let natural = |number: usize| {
        let cells = rows.iter().filter_map(|row| row.get(number)).map(Cell::width).max();
        let head = columns.get(number).map_or(0, |column| column.head.chars().count());
        cells.unwrap_or(0).max(head)
    };
    let least = |number: usize| {
        let least = columns.get(number).and_then(|column| column.least);
        least.map_or(natural(number), |least| least.min(natural(number)))
    };
    let sum = |kept: &[usize], width: &dyn Fn(usize) -> usize| {
        let gaps = kept.len().saturating_sub(1) * style.gap;
        gaps + kept.iter().map(|number| width(*number)).sum::<usize>()
    };
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let Some(most) = style.width else {
        let widths = kept.iter().map(|number| natural(*number)).collect();
        return (kept, widths);
    };
    while sum(&kept, &least) > most {
        let rank = |number: usize| columns.get(number).map_or(0, |column| column.rank);
        let Some(dropped) = kept
            .iter()
            .copied()
            .filter(|number| rank(*number) > 0)
            .max_by_key(|number| rank(*number))
        else {
            break;
        };
        kept.retain(|number| *number != dropped);
    }
    let mut spare = most.saturating_sub(sum(&kept, &least));
    let widths = kept.iter().map(|number| {
        let more = (natural(*number) - least(*number)).min(spare);
        spare -= more;
        least(*number) + more
    });
    let widths = widths.collect();
    (kept, widths)
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

    const COLUMNS: [Column; 3] = [Column::fixed("X"), Column::ranked("COLOUR", 1), Column::fixed("MESSAGE")];

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
        let text = format(&COLUMNS, rows(), style(None, false));
        assert_eq!(
            text,
            "X       COLOUR  MESSAGE\na       red     the long message of a container\nlonger\n"
        );
    }

    #[test]
    fn columns_are_cut_then_dropped_by_rank() {
        let cut = COLUMNS.map(|column| if column.head == "MESSAGE" { column.cut_to(8) } else { column });
        let text = format(&cut, rows(), style(Some(26), true));
        assert_eq!(text, "X       COLOUR  MESSAGE\na       \x1b[31mred\x1b[0m     the long…\nlonger\n");
        let text = format(&cut, rows(), style(Some(20), true));
        assert_eq!(text, "X       MESSAGE\na       the long me…\nlonger\n");
    }

    #[test]
    fn lines_are_cut_at_last() {
        let text = format(&COLUMNS, rows(), style(Some(16), false));
        assert_eq!(text, "X       MESSAGE\na       the lon…\nlonger\n");
    }

    #[test]
    fn later_rows_are_aligned_and_columns_only_grow() {
        let row = |cells: [&str; 3]| vec![cells.map(Cell::from).to_vec()];
        let mut table = Table::new(COLUMNS.to_vec());
        let text = [
            table.add(row(["longer", "red", "first"]), style(None, false)),
            table.add(row(["a", "b", "short"]), style(None, false)),
            table.add(row(["the longest", "b", "grown"]), style(None, false)),
            table.add(row(["a", "b", "still"]), style(None, false)),
        ];
        let expected = "\
X       COLOUR  MESSAGE
longer  red     first
a       b       short
the longest  b       grown
a            b       still
";
        assert_eq!(text.concat(), expected);
    }

    #[test]
    fn later_rows_keep_the_columns_and_stay_within_the_terminal() {
        let columns = [Column::fixed("X").cut_to(3), Column::ranked("COLOUR", 1), Column::fixed("Y")];
        let row = |cells: [&str; 3]| vec![cells.map(Cell::from).to_vec()];
        let mut table = Table::new(columns.to_vec());
        let narrow = style(Some(9), false);
        let text = [
            table.add(row(["name", "red", "on"]), narrow),
            table.add(row(["longername", "red", "off"]), narrow),
            table.add(row(["name", "red", "unknown"]), narrow),
        ];
        assert_eq!(text.concat(), "X     Y\nname  on\nlon…  off\nname  un…\n");
    }
}
