//! A table of text for a terminal: titles over their columns, counts with their share beside them. Where a line has no
//! room for every count, the most important ones are shown; a share always is.

use crate::explanation::grouped;
use crate::layout::{self, LINE_WIDTH, hanging, left, right, width};

/// Shown where there is nothing to take a share of.
const NOTHING: &str = "–";
/// Columns of `100%`.
const SHARE: usize = 4;
/// What stands between two columns.
const BETWEEN: usize = 2;
/// Columns that a text needs before it is broken into lines.
const LAST: usize = 16;

pub enum Cell {
    Text(String),
    /// So many of a whole.
    Part(i64, i64),
}

impl Cell {
    pub fn count(count: i64) -> Cell {
        Cell::Text(grouped(&count.to_string()))
    }

    /// A count that is missing something where it is not 0; the mark has its own place, so that figures stay in line.
    pub fn missing(count: i64) -> Cell {
        Cell::Text(marked(&grouped(&count.to_string()), count > 0))
    }
}

/// The text, with the mark of what is missing or undone behind it.
pub fn marked(text: &str, is_undone: bool) -> String {
    format!("{text} {}", if is_undone { MARK } else { " " })
}

/// Stands beside what is missing or undone.
pub const MARK: &str = "!";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

struct Column {
    /// In as many lines as it has.
    title: String,
    side: Side,
    /// Of columns of shares: the lowest shows its counts first.
    rank: usize,
    has_counts: bool,
}

/// Columns and rows; a row has one cell for each column.
#[derive(Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    #[must_use]
    pub fn left(self, title: &str) -> Table {
        self.column(title, Side::Left, 0)
    }

    #[must_use]
    pub fn right(self, title: &str) -> Table {
        self.column(title, Side::Right, 0)
    }

    /// A column of shares; of several that are too wide together, the one with the lowest rank shows its counts first.
    #[must_use]
    pub fn parts(self, title: &str, rank: usize) -> Table {
        self.column(title, Side::Right, rank)
    }

    fn column(mut self, title: &str, side: Side, rank: usize) -> Table {
        self.columns.push(Column { title: title.to_string(), side, rank, has_counts: false });
        self
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The lines of the table, indented.
    pub fn lines(mut self, indent: usize) -> Vec<String> {
        self.show_counts(LINE_WIDTH.saturating_sub(indent));
        let cells = self.texts();
        let widths = self.widths(&cells);
        let heights = self.columns.iter().map(|column| column.title.split('\n').count());
        let height = heights.max().unwrap_or(0);
        let titles = (0..height).map(|line| self.title_line(line, height));
        let titles: Vec<Vec<String>> = titles.collect();
        titles.iter().chain(&cells).flat_map(|cells| self.line(cells, &widths, indent)).collect()
    }

    /// One row; the text of a last column at the left goes on below where it is too long.
    fn line(&self, cells: &[String], widths: &[usize], indent: usize) -> Vec<String> {
        let mut start = " ".repeat(indent);
        let last = self.columns.len().saturating_sub(1);
        for (position, ((column, cell), &width)) in self.columns.iter().zip(cells).zip(widths).enumerate() {
            match column.side {
                Side::Left if position == last && layout::width(&start) + LAST <= LINE_WIDTH => {
                    return hanging(&start, cell);
                }
                Side::Left => start.push_str(&left(cell, width)),
                Side::Right => start.push_str(&right(cell, width)),
            }
            start.push_str(&" ".repeat(BETWEEN));
        }
        vec![start.trim_end().to_string()]
    }

    /// Shows the counts for which there is room, those of the lowest rank first.
    fn show_counts(&mut self, room: usize) {
        let mut by_rank: Vec<usize> = (0..self.columns.len()).collect();
        by_rank.sort_by_key(|&position| self.columns.get(position).map(|column| column.rank));
        for position in by_rank {
            self.set_counts(position, true);
            if self.width(&self.texts()) > room {
                self.set_counts(position, false);
            }
        }
    }

    fn set_counts(&mut self, position: usize, has_counts: bool) {
        if let Some(column) = self.columns.get_mut(position) {
            column.has_counts = has_counts;
        }
    }

    /// One line of every title; shorter titles stand on the last lines.
    fn title_line(&self, line: usize, height: usize) -> Vec<String> {
        let of_column = |column: &Column| {
            let lines: Vec<&str> = column.title.split('\n').collect();
            let above = height - lines.len();
            line.checked_sub(above).and_then(|line| lines.get(line)).map_or(String::new(), ToString::to_string)
        };
        self.columns.iter().map(of_column).collect()
    }

    fn texts(&self) -> Vec<Vec<String>> {
        let count_widths: Vec<usize> = (0..self.columns.len()).map(|position| self.count_width(position)).collect();
        let text = |position: usize, cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            &Cell::Part(_, 0) => NOTHING.to_string(),
            &Cell::Part(part, whole) => {
                let share = right(&percent(part, whole), SHARE);
                match self.columns.get(position).zip(count_widths.get(position)) {
                    Some((column, &columns)) if column.has_counts => {
                        format!("{} {share}", right(&grouped(&part.to_string()), columns))
                    }
                    _ => share,
                }
            }
        };
        let texts = |row: &Vec<Cell>| row.iter().enumerate().map(|(position, cell)| text(position, cell)).collect();
        self.rows.iter().map(texts).collect()
    }

    /// Columns of the widest count that is a part of something.
    fn count_width(&self, position: usize) -> usize {
        let counts = self.rows.iter().filter_map(|row| match row.get(position) {
            Some(&Cell::Part(part, _)) => Some(width(&grouped(&part.to_string()))),
            _ => None,
        });
        counts.max().unwrap_or(0)
    }

    fn widths(&self, cells: &[Vec<String>]) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        let widest = columns.map(|(position, column)| {
            let texts = cells.iter().filter_map(|row| row.get(position)).map(String::as_str);
            column.title.split('\n').chain(texts).map(width).max().unwrap_or(0)
        });
        widest.collect()
    }

    fn width(&self, cells: &[Vec<String>]) -> usize {
        self.widths(cells).into_iter().sum::<usize>() + BETWEEN * self.columns.len().saturating_sub(1)
    }
}

/// A share in whole percent, rounded down: nothing is shown as done that is not.
pub fn percent(part: i64, whole: i64) -> String {
    match i128::from(part) * 100 / i128::from(whole.max(1)) {
        0 if part > 0 => "<1%".to_string(),
        percent => format!("{percent}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Table {
        let mut table = Table::default().left("grid").right("house-\nholds").parts("profiled", 1).parts("visited", 2);
        table.row(vec![Cell::Text(name.into()), Cell::count(1200), Cell::Part(1000, 1200), Cell::Part(3, 1200)]);
        table.row(vec![Cell::Text("G2".into()), Cell::count(0), Cell::Part(0, 0), Cell::Part(0, 0)]);
        table
    }

    #[test]
    fn titles_stand_over_their_columns() {
        insta::assert_snapshot!(table("G1").lines(2).join("\n"), @"
              house-
        grid   holds    profiled  visited
        G1     1,200  1,000  83%   3  <1%
        G2         0           –        –
        ");
    }

    #[test]
    fn what_is_too_wide_loses_counts_but_no_share() {
        let row = |columns: usize| table(&"G".repeat(columns)).lines(2).remove(2);
        assert!(row(68).ends_with("1,200  1,000  83%   3  <1%"), "{}", row(68));
        // The second title is as wide as its counts, so nothing is won by leaving them out.
        assert!(row(70).ends_with("1,200       83%   3  <1%"), "{}", row(70));
        assert!(width(&row(70)) <= LINE_WIDTH);
        assert!(row(90).ends_with("1,200       83%      <1%"), "{}", row(90));
    }

    #[test]
    fn a_long_text_at_the_end_goes_on_below() {
        let mut table = Table::default().left("household").left("to do");
        table.row(vec![Cell::Text("H".repeat(76)), Cell::Text("renew the profile: it no longer rates".into())]);
        let lines = table.lines(2);
        assert_eq!(
            lines[1..].iter().map(|line| line.trim_start_matches([' ', 'H'])).collect::<Vec<_>>(),
            ["renew the profile:", "it no longer rates"]
        );
        assert!(lines.iter().all(|line| width(line) <= LINE_WIDTH), "{lines:?}");
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!(percent(999, 1000), "99%");
        assert_eq!(percent(1000, 1000), "100%");
        assert_eq!((percent(1, 1000), percent(0, 1000)), ("<1%".into(), "0%".into()));
    }

    #[test]
    fn chinese_titles_stand_over_their_columns_too() {
        let mut table = Table::default().left("网格").right("户数");
        table.row(vec![Cell::Text("G1".into()), Cell::missing(3)]);
        assert_eq!(table.lines(0), ["网格  户数", "G1     3 !"]);
    }
}
