//! What can be asked on the command line: the verbs, their options, and what `--help` says of them.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use wellfield::calendar::Date;
use wellfield::rulebook::indicators::Level;

const EXIT_CODES: &str = "Exit codes:
  0  done, or already done: the same inputs and rules give the same run
  1  could not run: disk, lock, file, a damaged earlier run
  2  wrong usage
  3  inputs or rulebook refused; nothing was written
  4  ran, but the audit failed; nothing was published";

/// A bank's grid ledgers in, household credit grades with reasons and grant limits out, every night the same way.
#[derive(Parser)]
#[command(name = "wellfield", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    /// Rate every household of a bank and publish the run
    Nightly(Nightly),
    /// Check contracts, adapters and rulebook: every fault at once, nothing computed
    Check(Check),
    /// Explain one household: facts, points, reasons, limit, decision, and what would raise its grade
    Explain(Explain),
    /// Print how far the bank, a branch or an area is covered: targets, gaps, duties that were not done
    Coverage(Coverage),
    /// Print the indicators of the bank, a branch, an area or every area of a level, and their trend
    Indicators(Indicators),
    /// Print what an officer has to do next, household by household
    Worklist(Worklist),
    /// Tell what moved between two runs and why, or what another rulebook would do to tonight's run
    Compare(Compare),
    /// Check every file of a published run against its manifest
    Verify(Verify),
    /// List the published runs: as-of date, households, rows set aside, audit
    Runs(Runs),
    /// Remove old published runs
    Prune(Prune),
    /// Print what a name means: a fact, veto, flag, partition fault, quarantine rule, indicator, policy, table, column
    Rule(Rule),
    /// Make a synthetic bank of any size, the same bytes for the same seed
    Generate(Generate),
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct Nightly {
    /// Folder with the bank's `bank.toml`
    #[arg(default_value = ".")]
    pub bank: PathBuf,
    /// The day as of which the bank is rated
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Date,
    /// Where runs are published [default: `runs` in the bank's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The earlier run to look back at: a run id, an as-of date, `latest`, a run folder, or `none` [default: the newest published one with an earlier as-of date]
    #[arg(long, value_name = "RUN|none")]
    pub previous: Option<String>,
    /// Threads to compute with [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Cut the run so that it keeps within this memory, for example `4GiB`; it stops, with nothing published, where it cannot [default: cut by the memory of the machine, and never stopped]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory_max: Option<u64>,
    /// Cut the branches into so many shards whatever the memory; no result depends on it
    #[arg(long, hide = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub shards: Option<u16>,
    /// Publish although more rows of this table than the rulebook allows are set aside; `all` for every table
    #[arg(long, value_name = "TABLE", value_parser = table_or_all)]
    pub allow_quarantine: Vec<String>,
    /// Publish although the rows of this table fell or rose more against the run before than the rulebook allows; `all` for every table
    #[arg(long, value_name = "TABLE", value_parser = table_or_all)]
    pub allow_change: Vec<String>,
    /// Publish although the newest row of this table is older than the rulebook allows; `all` for every table
    #[arg(long, value_name = "TABLE", value_parser = table_or_all)]
    pub allow_stale: Vec<String>,
    /// Rate by the policy files of this folder instead of the bank's own rulebook
    #[arg(long, value_name = "DIR")]
    pub rulebook: Option<PathBuf>,
    /// How progress is told on stderr
    #[arg(long, value_enum, default_value_t = LogForm::Text)]
    pub log: LogForm,
    /// Write what the night cost and found to this file, as Prometheus reads it
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Write the night's OpenLineage events to this file too, whether it ended well or not
    #[arg(long, value_name = "FILE")]
    pub lineage: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct Check {
    /// Folder with the bank's `bank.toml`
    #[arg(default_value = ".")]
    pub bank: PathBuf,
    /// The day as of which rows are known and rules are in force [default: the last of days: every row is known, the newest rules hold]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<Date>,
    /// Check the policy files of this folder instead of the bank's own rulebook
    #[arg(long, value_name = "DIR")]
    pub rulebook: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES, allow_missing_positional = true)]
pub struct Explain {
    /// Folder with the bank's `bank.toml`
    #[arg(default_value = ".")]
    pub bank: PathBuf,
    /// The household's identifier
    pub household: String,
    /// The published run to explain: a run id, an as-of date, `latest`, or a run folder [default: latest]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Explain as of this day without a published run
    #[arg(long, value_name = "DATE", value_parser = date, conflicts_with = "run")]
    pub as_of: Option<Date>,
    /// Where runs are published [default: `runs` in the bank's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The earlier run to look back at, with `--as-of` [default: the newest published one with an earlier as-of date]
    #[arg(long, value_name = "RUN|none", requires = "as_of")]
    pub previous: Option<String>,
    /// Explain by the policy files of this folder instead of the bank's own rulebook
    #[arg(long, value_name = "DIR")]
    pub rulebook: Option<PathBuf>,
    /// Language of the text
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub lang: Language,
    /// Print the explanation as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct Coverage {
    /// Folder with the bank's `bank.toml`
    #[arg(default_value = ".")]
    pub bank: PathBuf,
    /// The branch to look at, with its grids and officers [default: the whole bank]
    #[arg(long, value_name = "BRANCH", conflicts_with = "area")]
    pub branch: Option<String>,
    /// The area to look at, of any level, with its grids, credit rating and funding
    #[arg(long, value_name = "AREA")]
    pub area: Option<String>,
    #[command(flatten)]
    pub published: Published,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct Indicators {
    /// Folder with the bank's `bank.toml`
    #[arg(default_value = ".")]
    pub bank: PathBuf,
    /// The level to look at, with every branch or area of it [default: the bank's own indicators]
    #[arg(long, value_name = "LEVEL", value_parser = levels())]
    pub level: Option<Level>,
    /// One branch or area; of several levels that have it, the one that `--level` says
    #[arg(long = "ref", value_name = "ID")]
    pub ref_id: Option<String>,
    /// This indicator only, with all its segments; may be repeated
    #[arg(long, value_name = "INDICATOR")]
    pub id: Vec<String>,
    /// The trend over the published runs from this as-of date on
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub since: Option<Date>,
    /// Names by the policy files of this folder instead of the bank's own rulebook
    #[arg(long, value_name = "DIR")]
    pub rulebook: Option<PathBuf>,
    #[command(flatten)]
    pub published: Published,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct Worklist {
    /// Folder with the bank's `bank.toml`
    #[arg(default_value = ".")]
    pub bank: PathBuf,
    /// The officer whose list it is
    #[arg(long, value_name = "OFFICER")]
    pub officer: String,
    /// Leave out households with nothing due by this day
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub due_by: Option<Date>,
    #[command(flatten)]
    pub published: Published,
}

/// Which published run is read back, and how the answer is told.
#[derive(Args)]
pub struct Published {
    /// The published run to read: a run id, an as-of date, `latest`, or a run folder
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub run: String,
    /// Where runs are published [default: `runs` in the bank's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Language of the text
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub lang: Language,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(
    after_help = EXIT_CODES,
    override_usage = "wellfield compare [OPTIONS] [BANK] <RUN> <RUN>\n       \
                      wellfield compare [OPTIONS] --rulebook <DIR> [BANK] [RUN]"
)]
pub struct Compare {
    /// Folder with the bank's `bank.toml` [default: .], then the earlier and the later run, each a run id, an as-of date, `latest`, or a run folder; with `--rulebook` one run [default: latest]
    #[arg(value_name = "BANK, RUNS", num_args = 0..=3)]
    pub names: Vec<String>,
    /// Compare the run with what the policy files of this folder would make of the same inputs; nothing is published
    #[arg(long, value_name = "DIR")]
    pub rulebook: Option<PathBuf>,
    /// Name every household that moved, not the first of each kind only
    #[arg(long)]
    pub all: bool,
    /// Where runs are published [default: `runs` in the bank's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Language of the text
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub lang: Language,
    /// Print the comparison as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES, allow_missing_positional = true)]
pub struct Verify {
    /// Folder with the bank's `bank.toml`
    #[arg(default_value = ".")]
    pub bank: PathBuf,
    /// The published run: a run id, an as-of date, `latest`, or a run folder
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Where runs are published [default: `runs` in the bank's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct Runs {
    /// Folder with the bank's `bank.toml`
    #[arg(default_value = ".")]
    pub bank: PathBuf,
    /// Where runs are published [default: `runs` in the bank's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct Prune {
    /// Folder with the bank's `bank.toml`
    #[arg(default_value = ".")]
    pub bank: PathBuf,
    /// How many of the newest runs stay; a run that looks back at another keeps that one too
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: u32,
    /// Keep of the runs that others look back at only those that the newest N look back at themselves
    #[arg(long)]
    pub break_chain: bool,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where runs are published [default: `runs` in the bank's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct Rule {
    /// Name of a fact, characteristic, veto, flag, partition fault, reason of a work list, quarantine rule, indicator, policy, table or column
    pub id: String,
    /// The day as of which rules are in force [default: the newest version of each]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<Date>,
    /// Look into the policy files of this folder instead of the built-in rulebook
    #[arg(long, value_name = "DIR")]
    pub rulebook: Option<PathBuf>,
    /// Language of the text
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub lang: Language,
    /// Print the definition as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct Generate {
    /// Folder to make the bank in; it must not exist yet or be empty
    pub folder: PathBuf,
    /// Households that live or lived in the bank's grids
    #[arg(long, value_name = "N")]
    pub households: u64,
    /// Another seed, another bank
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// The day around which the bank's history is laid
    #[arg(long, value_name = "DATE", value_parser = date, default_value = "2026-06-30")]
    pub as_of: Date,
    /// Months of history
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub months: u32,
    /// Mean number of visits to a household over the history
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub visits: u32,
    /// Townships to spread the households over [default: by the number of households]
    #[arg(long, value_name = "N")]
    pub townships: Option<u32>,
    /// How evenly the rows lie: `huge-branch` has half of the households in one branch, `busy-household` one household with 10,000 visits
    #[arg(long, value_enum, default_value_t = BankShape::Even)]
    pub shape: BankShape,
    /// Threads to draw and write with; they change no byte [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// How the files are written
    #[arg(long, value_enum, default_value_t = FileForm::Parquet)]
    pub format: FileForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    En,
    Zh,
}

impl Language {
    /// The text of the two that is to be shown.
    pub fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Language::En => en,
            Language::Zh => zh,
        }
    }
}

impl From<Language> for wellfield::explanation::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::Zh => Self::Zh,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileForm {
    Csv,
    Parquet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BankShape {
    Even,
    HugeBranch,
    BusyHousehold,
}

impl From<BankShape> for wellfield::generate::Shape {
    fn from(shape: BankShape) -> Self {
        match shape {
            BankShape::Even => Self::Even,
            BankShape::HugeBranch => Self::HugeBranch,
            BankShape::BusyHousehold => Self::BusyHousehold,
        }
    }
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "a date is written YYYY-MM-DD, for example 2026-06-30".to_string())
}

fn levels() -> impl TypedValueParser<Value = Level> {
    let words = PossibleValuesParser::new(Level::ALL.iter().map(|level| level.name()));
    words.try_map(|word| Level::of(&word).ok_or("no such level"))
}

fn table_or_all(text: &str) -> Result<String, String> {
    let contracts = wellfield::contract::Contracts::built_in().map_err(|error| error.to_string())?;
    let known: Vec<&str> = contracts.inputs.iter().map(|contract| contract.table.as_str()).collect();
    if text == "all" || known.contains(&text) {
        Ok(text.to_string())
    } else {
        Err(wellfield::read::suggestion(text, &known))
    }
}

/// Bytes, with an optional unit of 1024: `512MiB`, `4GiB`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or("") {
        "" | "B" => 1,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        other => return Err(format!("`{other}` is no unit; sizes are written 512MiB or 4GiB")),
    };
    let count: u64 = digits.trim().parse().map_err(|_| format!("`{digits}` is no whole number"))?;
    count.checked_mul(unit).filter(|&bytes| bytes > 0).ok_or_else(|| "a size is more than 0".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(size("4GiB"), Ok(4 << 30));
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert!(size("4GB").is_err() && size("GiB").is_err() && size("0").is_err());
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
