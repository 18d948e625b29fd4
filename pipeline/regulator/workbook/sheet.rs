//! What all sheets share: two heading rows, English and Chinese, frozen and with a filter, formats, and text that Excel
//! can hold.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Worksheet, XlsxError};

/// English, then Chinese.
pub(super) const HEADING_ROWS: u32 = 2;
/// Characters that a cell of Excel can hold.
const TEXT_MAX: usize = 32_767;
const GREY: Color = Color::RGB(0xD9D9D9);

/// A column: its heading in both languages and its width in characters.
#[derive(Clone, Copy)]
pub(super) struct Heading {
    en: &'static str,
    zh: &'static str,
    width: f64,
}

pub(super) const fn heading(en: &'static str, zh: &'static str, width: f64) -> Heading {
    Heading { en, zh, width }
}

pub(super) struct Formats {
    pub heading: Format,
    /// What may not leave the bank.
    pub hidden: Format,
    /// The letter of a status in place of a value.
    pub mark: Format,
    /// Long text.
    pub note: Format,
    /// By digits after the point.
    numbers: Vec<Format>,
}

impl Formats {
    /// Formats of numbers with up to so many digits after the point.
    pub fn new(digits_max: u32) -> Formats {
        let heading = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
        let mark = Format::new().set_align(FormatAlign::Right);
        let number = |digits: u32| {
            let fraction = "0".repeat(digits as usize);
            let point = if digits == 0 { "" } else { "." };
            Format::new().set_num_format(format!("#,##0{point}{fraction}"))
        };
        Formats {
            heading: heading.set_border_bottom(FormatBorder::Thin),
            hidden: mark.clone().set_background_color(GREY),
            mark,
            note: Format::new().set_text_wrap().set_align(FormatAlign::Top),
            numbers: (0..=digits_max).map(number).collect(),
        }
    }

    /// A number with so many digits after the point.
    pub fn number(&self, digits: u32) -> &Format {
        self.numbers.get(digits as usize).unwrap_or(&self.mark)
    }
}

/// The two heading rows over so many rows of data.
pub(super) fn headings(
    worksheet: &mut Worksheet,
    columns: &[Heading],
    rows: usize,
    formats: &Formats,
) -> Result<(), XlsxError> {
    // Row by row: a sheet whose rows go to a file takes no row that came before.
    for (heading, column) in columns.iter().zip(0_u16..) {
        worksheet.set_column_width(column, heading.width)?;
        worksheet.write_string_with_format(0, column, heading.en, &formats.heading)?;
    }
    for (heading, column) in columns.iter().zip(0_u16..) {
        worksheet.write_string_with_format(1, column, heading.zh, &formats.heading)?;
    }
    let last_row = HEADING_ROWS - 1 + u32::try_from(rows).unwrap_or(u32::MAX);
    let last_column = u16::try_from(columns.len()).unwrap_or(u16::MAX).saturating_sub(1);
    worksheet.autofilter(HEADING_ROWS - 1, 0, last_row, last_column)?;
    worksheet.set_freeze_panes(HEADING_ROWS, 1)?;
    Ok(())
}

/// A text, cut where Excel's cells end; nothing for an empty one.
pub(super) fn text(worksheet: &mut Worksheet, row: u32, column: u16, text: &str) -> Result<(), XlsxError> {
    worksheet.write_string(row, column, held(text))?;
    Ok(())
}

/// A long text that wraps within its column.
pub(super) fn note(
    worksheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    formats: &Formats,
) -> Result<(), XlsxError> {
    if !text.is_empty() {
        worksheet.write_string_with_format(row, column, held(text), &formats.note)?;
    }
    Ok(())
}

fn held(text: &str) -> &str {
    text.char_indices().nth(TEXT_MAX).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_a_cell_ends() {
        let long = "村".repeat(TEXT_MAX + 1);
        assert_eq!(held(&long).chars().count(), TEXT_MAX);
        assert_eq!(held("村"), "村");
    }
}
