//! `bank.toml`: which files hold which table, and how they are written.
//! Knows the words of the file and its faults; opens nothing but the file itself, and leaves the data to its neighbours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::contract::Contracts;
use crate::fault::{Collector, Error, Fault, Result};

/// A bank's folder and what its `bank.toml` says.
#[derive(Debug)]
pub struct Bank {
    pub folder: PathBuf,
    pub name: String,
    /// A folder of policy files, as `bank.toml` writes it; None for the rulebook built into the program.
    pub rulebook: Option<String>,
    /// What `bank.toml` says of a table, by table; tables that it does not mention are looked for under their own name.
    pub inputs: BTreeMap<String, Input>,
    /// The bytes of `bank.toml`, which are part of a run's identity.
    pub text: String,
    /// Whether the system is told of what was read of Parquet that nobody needs it again. Else it keeps it as long as it can:
    /// who reads the bank next does not wait for the disk. Of a bank that is about as large as its memory it cannot keep
    /// enough for that, and looks for memory all the time.
    pub is_read_in_passing: bool,
}

/// What `bank.toml` says of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The bank does not have it: empty, on purpose.
    None,
    Files(FileInput),
}

/// The files of one table and how to read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileInput {
    /// Paths, globs or folders by the name under which an adapter knows them; without an adapter one name only.
    pub files: BTreeMap<String, Vec<String>>,
    pub format: CsvFormat,
    /// The path of an SQL file.
    pub adapter: Option<String>,
    /// Whether nothing newer is to come: the audit does not judge its age.
    pub is_historic: bool,
}

/// How a text file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFormat {
    pub delimiter: u8,
    pub quote: u8,
    pub encoding: Encoding,
    pub null_words: Vec<String>,
    /// strftime forms, tried in order; empty: `2026-06-30`.
    pub date_formats: Vec<String>,
    /// strftime forms, tried in order; empty: `2026-06-30T08:15:00` with a blank or a T and optional seconds and fraction.
    pub time_formats: Vec<String>,
    pub thousands: Option<char>,
    pub decimal: char,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    #[serde(rename = "utf-8", alias = "utf8", alias = "UTF-8")]
    Utf8,
    #[serde(rename = "gb18030", alias = "GB18030", alias = "gbk")]
    Gb18030,
    #[serde(rename = "latin1", alias = "iso-8859-1")]
    Latin1,
}

impl Default for CsvFormat {
    fn default() -> Self {
        CsvFormat {
            delimiter: b',',
            quote: b'"',
            encoding: Encoding::Utf8,
            null_words: Vec::new(),
            date_formats: Vec::new(),
            time_formats: Vec::new(),
            thousands: None,
            decimal: '.',
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BankFile {
    bank: BankSection,
    #[serde(default)]
    inputs: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BankSection {
    name: String,
    rulebook: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputTable {
    files: Files,
    #[serde(default = "comma")]
    delimiter: char,
    #[serde(default = "double_quote")]
    quote: char,
    encoding: Option<Encoding>,
    #[serde(default)]
    null_words: Vec<String>,
    #[serde(default, alias = "date_formats")]
    date_format: OneOrMany,
    #[serde(default, alias = "time_formats")]
    time_format: OneOrMany,
    thousands: Option<char>,
    #[serde(default = "point")]
    decimal: char,
    adapter: Option<String>,
    #[serde(default)]
    is_historic: bool,
}

fn comma() -> char {
    ','
}

fn double_quote() -> char {
    '"'
}

fn point() -> char {
    '.'
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    #[default]
    Nothing,
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Vec<String> {
    fn from(value: OneOrMany) -> Self {
        match value {
            OneOrMany::Nothing => Vec::new(),
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Files {
    One(String),
    Many(Vec<String>),
    Named(BTreeMap<String, NamedFiles>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NamedFiles {
    One(String),
    Many(Vec<String>),
}

impl Bank {
    /// Reads `bank.toml` of a folder. Refuses unknown keys and tables, all at once.
    pub fn open(folder: &Path, contracts: &Contracts) -> Result<Bank> {
        let path = folder.join("bank.toml");
        let text = super::read_text(&path).map_err(|error| missing_bank(folder, &error))?;
        let file: BankFile = toml::from_str(&text).map_err(|error| {
            let hint = "`[bank]` has a `name` and perhaps a `rulebook`, `[inputs]` has one entry for a table";
            Error::refused(Fault::new(format!("`{}` cannot be read", path.display())).caused_by(error).hint(hint))
        })?;
        let mut collector = Collector::default();
        let mut inputs = BTreeMap::new();
        for (table, value) in &file.inputs {
            let line = line_of(&text, table.span().start);
            let at = format!("`{}` line {line}", path.display());
            if contracts.inputs.iter().any(|contract| contract.table == *table.get_ref()) {
                if let Some(input) = collector.take(read_input(&at, table.get_ref(), value.get_ref()))? {
                    inputs.insert(table.get_ref().clone(), input);
                }
            } else {
                let known: Vec<&str> = contracts.inputs.iter().map(|contract| contract.table.as_str()).collect();
                let fault = Fault::new(format!("{at}: there is no input table `{}`", table.get_ref()));
                collector.add(fault.hint(super::suggestion(table.get_ref(), &known)));
            }
        }
        collector.refuse()?;
        let BankSection { name, rulebook } = file.bank;
        Ok(Bank { folder: folder.to_path_buf(), name, rulebook, inputs, text, is_read_in_passing: false })
    }
}

fn missing_bank(folder: &Path, error: &std::io::Error) -> Error {
    let fault = Fault::new(format!("`{}` is no bank: its `bank.toml` cannot be read", folder.display()));
    Error::could_not_run(fault.caused_by(error).hint("name a folder that holds a `bank.toml`, or start there"))
}

/// The line, from 1, of a byte position.
fn line_of(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|&byte| byte == b'\n').count() + 1
}

fn read_input(at: &str, table: &str, value: &toml::Value) -> Result<Input> {
    let one_name = |files: Vec<String>| BTreeMap::from([(table.to_string(), files)]);
    match value {
        toml::Value::String(word) if word == "none" => Ok(Input::None),
        toml::Value::String(path) => {
            Ok(Input::Files(FileInput { files: one_name(vec![path.clone()]), ..FileInput::default() }))
        }
        toml::Value::Array(_) => {
            let files = Vec::<String>::deserialize(value.clone()).map_err(|error| unreadable(at, table, &error))?;
            Ok(Input::Files(FileInput { files: one_name(files), ..FileInput::default() }))
        }
        _ => {
            let input = InputTable::deserialize(value.clone()).map_err(|error| unreadable(at, table, &error))?;
            file_input(at, table, input).map(Input::Files)
        }
    }
}

fn unreadable(at: &str, table: &str, error: &toml::de::Error) -> Error {
    let hint = "an input is a path, a list of paths, a table with `files`, or \"none\"";
    Error::refused(Fault::new(format!("{at}: input `{table}` cannot be read")).caused_by(error.message()).hint(hint))
}

fn file_input(at: &str, table: &str, input: InputTable) -> Result<FileInput> {
    let files = match input.files {
        Files::One(path) => BTreeMap::from([(table.to_string(), vec![path])]),
        Files::Many(paths) => BTreeMap::from([(table.to_string(), paths)]),
        Files::Named(named) => named.into_iter().map(|(name, files)| (name, files.into())).collect(),
    };
    if input.adapter.is_none() && files.len() != 1 {
        let fault = Fault::new(format!("{at}: input `{table}` names {} kinds of file and no adapter", files.len()));
        return Err(Error::refused(fault.hint("say with `adapter = \"adapters/….sql\"` how they make one table")));
    }
    let ascii = |what: &str, value: char| {
        u8::try_from(value).ok().filter(u8::is_ascii).ok_or_else(|| {
            let fault =
                Fault::new(format!("{at}: the {what} of `{table}` is `{value}`, which is not one ASCII character"));
            Error::refused(fault)
        })
    };
    Ok(FileInput {
        files,
        format: CsvFormat {
            delimiter: ascii("delimiter", input.delimiter)?,
            quote: ascii("quote", input.quote)?,
            encoding: input.encoding.unwrap_or(Encoding::Utf8),
            null_words: input.null_words,
            date_formats: input.date_format.into(),
            time_formats: input.time_format.into(),
            thousands: input.thousands,
            decimal: input.decimal,
        },
        adapter: input.adapter,
        is_historic: input.is_historic,
    })
}

impl From<NamedFiles> for Vec<String> {
    fn from(files: NamedFiles) -> Self {
        match files {
            NamedFiles::One(one) => vec![one],
            NamedFiles::Many(many) => many,
        }
    }
}
