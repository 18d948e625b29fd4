//! The lines of a listing for people: headings, labelled texts and tables, no line wider than a terminal unless a name
//! makes it so.

use crate::explanation::Language;
use crate::layout::{hanging, left};

use super::table::Table;

/// Columns of a label that stands before its text.
const LABEL: usize = 18;
const INDENT: usize = 2;

pub struct Page {
    pub language: Language,
    lines: Vec<String>,
}

impl Page {
    pub fn new(language: Language) -> Page {
        Page { language, lines: Vec::new() }
    }

    pub fn heading(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.lines.push(String::new());
        }
        self.lines.extend(hanging("", text));
    }

    pub fn paragraph(&mut self, text: &str) {
        self.lines.extend(hanging(&" ".repeat(INDENT), text));
    }

    pub fn item(&mut self, text: &str) {
        self.lines.extend(hanging(&format!("{}- ", " ".repeat(INDENT)), text));
    }

    pub fn labelled(&mut self, label: &str, text: &str) {
        self.lines.extend(hanging(&format!("{}{}", " ".repeat(INDENT), left(label, LABEL)), text));
    }

    pub fn table(&mut self, table: Table) {
        self.lines.extend(table.lines(INDENT));
    }

    pub fn text(self) -> String {
        self.lines.join("\n")
    }
}

/// A count of things in English, where one thing is named otherwise than several.
pub fn counted(count: i64, one: &str, several: &str) -> String {
    let number = crate::explanation::grouped(&count.to_string());
    format!("{number} {}", if count == 1 { one } else { several })
}
