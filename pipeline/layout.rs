//! Text in columns: how wide a text stands on a terminal, padding to a width, and breaking lines. A Chinese character
//! is two columns wide, and a line may break between any two of them.

/// Most columns of a line.
pub const LINE_WIDTH: usize = 100;

/// Ranges of characters that are two columns wide: ideographs, their punctuation, full-width forms.
const WIDE: [(char, char); 9] = [
    ('\u{1100}', '\u{115F}'),
    ('\u{2E80}', '\u{303E}'),
    ('\u{3041}', '\u{33FF}'),
    ('\u{3400}', '\u{4DBF}'),
    ('\u{4E00}', '\u{A4CF}'),
    ('\u{AC00}', '\u{D7A3}'),
    ('\u{F900}', '\u{FAFF}'),
    ('\u{FE30}', '\u{FF60}'),
    ('\u{20000}', '\u{3FFFD}'),
];

/// Marks that do not begin a line.
const CLOSING: &str = "，。；：、）》】？！";

fn is_wide(letter: char) -> bool {
    WIDE.iter().any(|&(first, last)| (first..=last).contains(&letter))
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(|letter| if is_wide(letter) { 2 } else { 1 }).sum()
}

/// The text at the left of a column.
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text at the right of a column.
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text in lines of at most so many columns.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text, columns.max(2)) {
        if width(&line) + width(piece.trim_end()) > columns && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_string());
        }
        line.push_str(&piece);
    }
    lines.push(line.trim_end().to_string());
    lines
}

/// Text behind what begins its first line, in lines no wider than a terminal; further lines are indented as far.
pub fn hanging(start: &str, text: &str) -> Vec<String> {
    let indent = width(start);
    let lines = wrap(text, LINE_WIDTH.saturating_sub(indent)).into_iter().enumerate();
    let line = |(number, line): (usize, String)| {
        let start = if number == 0 { start.to_string() } else { " ".repeat(indent) };
        format!("{start}{line}").trim_end().to_string()
    };
    lines.map(line).collect()
}

/// What stays together on a line: a word with the space after it, a wide character with the marks that close it.
fn pieces(text: &str, columns: usize) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut may_break = true;
    for letter in text.chars() {
        let is_closing = CLOSING.contains(letter);
        let is_full = pieces.last().is_some_and(|piece| width(piece) + 2 > columns);
        match pieces.last_mut() {
            Some(piece) if !is_full && (is_closing || !(may_break || is_wide(letter))) => piece.push(letter),
            _ => pieces.push(letter.to_string()),
        }
        may_break = letter == ' ' || is_wide(letter);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(width("granted 授信 4"), 14);
        assert_eq!(left("授信", 6), "授信  ");
        assert_eq!(right("4.5", 6), "   4.5");
        assert_eq!(width(&left("未还清的计至数据日期", 30)), 30);
    }

    #[test]
    fn lines_break_at_spaces_and_between_chinese_characters() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("one two", 7), ["one two"]);
        assert_eq!(wrap("一二三四", 5), ["一二", "三四"]);
        assert_eq!(wrap("贷款L0000001，共2期", 12), ["贷款", "L0000001，共", "2期"]);
        assert_eq!(wrap("", 8), [""]);
    }

    #[test]
    fn no_line_is_wider_than_asked() {
        let long = "x".repeat(64);
        let text = format!("{long} 最近已知建档的年总收入减年经营成本，亏损为负数（无已知建档）；{long}");
        for columns in [9, 20, 40, 96] {
            for line in wrap(&text, columns) {
                assert!(width(&line) <= columns, "{line:?} in {columns}");
            }
        }
    }
}
