//! The workbook of a run, as far as the floor knows it: every cell held in memory, written again by the library that the
//! program uses and in the same way, and the one held against the other.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use calamine::{DataRef, Reader as _, Xlsx, open_workbook};
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Worksheet};

use super::Outcome;

/// English, then Chinese.
const HEADING_ROWS: u32 = 2;
/// Rows below the headings that a sheet keeps in memory until it is written, as the program does.
const ROWS_HELD_MAX: u32 = 10_000;
/// The column of values, where a letter stands in place of a value that is not there.
const VALUES: u16 = 7;
/// What the names of sheets of long text begin with.
const NOTES: [&str; 3] = ["readme ", "definitions ", "sources "];
/// The reader does not tell widths. Which one it is costs nothing.
const WIDTH: f64 = 16.0;

type Book = Xlsx<BufReader<File>>;

/// Every sheet of a workbook, its cells in the order in which they are written.
pub struct Workbook {
    sheets: Vec<Sheet>,
}

struct Sheet {
    name: String,
    cells: Vec<Cell>,
    last_row: u32,
    last_column: u16,
}

struct Cell {
    row: u32,
    column: u16,
    value: Value,
}

enum Value {
    Text(Arc<str>),
    Number(f64),
    Truth(bool),
    /// Nothing but a format.
    Blank,
}

/// Texts that are the same are held once.
#[derive(Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn held(&mut self, text: &str) -> Arc<str> {
        if let Some(held) = self.0.get(text) {
            return Arc::clone(held);
        }
        let held: Arc<str> = text.into();
        self.0.insert(Arc::clone(&held));
        held
    }
}

impl Workbook {
    pub fn read(path: &Path) -> Outcome<Workbook> {
        let (mut book, mut texts): (Book, _) = (open_workbook(path)?, Texts::default());
        let sheets = book.sheet_names().into_iter().map(|name| Sheet::read(&mut book, name, &mut texts));
        Ok(Workbook { sheets: sheets.collect::<Outcome<_>>()? })
    }

    pub fn write(&self, path: &Path) -> Outcome<()> {
        let (mut workbook, formats) = (rust_xlsxwriter::Workbook::new(), Formats::new());
        for sheet in &self.sheets {
            let worksheet = match sheet.last_row >= HEADING_ROWS + ROWS_HELD_MAX {
                true => workbook.add_worksheet_with_low_memory(),
                false => workbook.add_worksheet(),
            };
            sheet.write(worksheet, &formats)?;
        }
        Ok(std::fs::write(path, workbook.save_to_buffer()?)?)
    }
}

impl Sheet {
    fn read(book: &mut Book, name: String, texts: &mut Texts) -> Outcome<Sheet> {
        let mut sheet = Sheet { name, cells: Vec::new(), last_row: 0, last_column: 0 };
        let mut cells = book.worksheet_cells_reader(&sheet.name)?;
        while let Some(cell) = cells.next_cell()? {
            let (row, column) = cell.get_position();
            let (column, value) = (u16::try_from(column)?, Value::read(cell.get_value(), texts)?);
            sheet.cells.push(Cell { row, column, value });
            (sheet.last_row, sheet.last_column) = (sheet.last_row.max(row), sheet.last_column.max(column));
        }
        Ok(sheet)
    }

    fn write(&self, worksheet: &mut Worksheet, formats: &Formats) -> Outcome<()> {
        worksheet.set_name(&self.name)?;
        for column in 0..=self.last_column {
            worksheet.set_column_width(column, WIDTH)?;
        }
        worksheet.autofilter(HEADING_ROWS - 1, 0, self.last_row, self.last_column)?;
        worksheet.set_freeze_panes(HEADING_ROWS, 1)?;
        let is_notes = NOTES.iter().any(|notes| self.name.starts_with(notes));
        for Cell { row, column, value } in &self.cells {
            let (row, column) = (*row, *column);
            match value {
                Value::Number(number) => worksheet.write_number_with_format(row, column, *number, &formats.number)?,
                Value::Truth(truth) => worksheet.write_boolean(row, column, *truth)?,
                Value::Blank => worksheet.write_blank(row, column, &formats.hidden)?,
                Value::Text(text) => match formats.of_text(row, column, text, is_notes) {
                    Some(format) => worksheet.write_string_with_format(row, column, &**text, format)?,
                    None => worksheet.write_string(row, column, &**text)?,
                },
            };
        }
        Ok(())
    }
}

impl Value {
    fn read(data: &DataRef, texts: &mut Texts) -> Outcome<Value> {
        Ok(match data {
            DataRef::SharedString(text) => Value::Text(texts.held(text)),
            DataRef::Float(number) => Value::Number(*number),
            DataRef::Bool(truth) => Value::Truth(*truth),
            DataRef::Empty => Value::Blank,
            other => return Err(format!("no cell of the workbook holds such as {other:?}").into()),
        })
    }
}

/// The formats of the program's workbook. The reader tells none of them: that of a text follows from its place, and
/// numbers have one, with the most digits, since it takes no longer to choose between several.
struct Formats {
    heading: Format,
    hidden: Format,
    mark: Format,
    note: Format,
    number: Format,
}

impl Formats {
    fn new() -> Formats {
        let heading = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
        let mark = Format::new().set_align(FormatAlign::Right);
        Formats {
            heading: heading.set_border_bottom(FormatBorder::Thin),
            hidden: mark.clone().set_background_color(Color::RGB(0xD9D9D9)),
            mark,
            note: Format::new().set_text_wrap().set_align(FormatAlign::Top),
            number: Format::new().set_num_format("#,##0.0000"),
        }
    }

    fn of_text(&self, row: u32, column: u16, text: &str, is_notes: bool) -> Option<&Format> {
        match (row, column) {
            (..HEADING_ROWS, _) => Some(&self.heading),
            _ if is_notes => Some(&self.note),
            (_, VALUES) if text == "Q" => Some(&self.hidden),
            (_, VALUES) => Some(&self.mark),
            _ => None,
        }
    }
}

/// Two workbooks must hold the same sheets, and these the same cells.
pub fn compare(published: &Path, written: &Path) -> Outcome<()> {
    let (mut published, mut written): (Book, Book) = (open_workbook(published)?, open_workbook(written)?);
    let names = published.sheet_names();
    if names != written.sheet_names() {
        return Err("the floor's workbook has other sheets".into());
    }
    names.iter().try_for_each(|name| compare_sheet(&mut published, &mut written, name))
}

fn compare_sheet(published: &mut Book, written: &mut Book, name: &str) -> Outcome<()> {
    let (mut published, mut written) = (published.worksheet_cells_reader(name)?, written.worksheet_cells_reader(name)?);
    loop {
        let (one, other) = (published.next_cell()?, written.next_cell()?);
        let [one, other] = [&one, &other].map(|cell| cell.as_ref().map(|cell| (cell.get_position(), cell.get_value())));
        match one {
            _ if one != other => return Err(format!("`{name}`: {one:?} was published, {other:?} written").into()),
            None => return Ok(()),
            Some(_) => {}
        }
    }
}
