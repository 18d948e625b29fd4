//! The catalogue of indicators (`indicators.md`): one file for each, with dated versions, in both languages, with its
//! source. Everything that can be wrong with a definition is refused here, so that what is loaded can be computed.
//! Leaves the computing to `indicators`, and what must hold between files to `agreement`.

pub(super) mod agreement;
pub mod condition;
pub mod parts;
#[cfg(test)]
mod tests;

use super::sources::{SourceReference, Sources, Wording};
use super::table::Table;
use crate::calendar::Date;
use crate::contract::Contracts;
use crate::decimal::Decimal;
pub use parts::{BaseTable, Distinct, Measure, Observations, Part};

/// The indicator's definition that is in force on the as-of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    pub id: String,
    pub name: Wording,
    /// The file's path as people know it.
    pub file: String,
    pub valid_from: Date,
    pub last_checked: Date,
    pub source: SourceReference,
    pub definition: Definition,
}

/// What a version of an indicator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// As the file names it.
    pub version: String,
    /// blake3 of everything that the version says: another definition under the same version is noticed.
    pub digest: String,
    pub dimension: Dimension,
    pub kind: Kind,
    pub unit: String,
    /// Digits after the point that a person is shown.
    pub decimals: u32,
    pub direction: Direction,
    /// In the order of `Level::ALL`.
    pub levels: Vec<Level>,
    pub by_segment: bool,
    pub target: Option<Target>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($variant),+ }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),+];

            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            fn names() -> Vec<&'static str> {
                Self::ALL.iter().map(|word| word.name()).collect()
            }

            pub fn of(word: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|known| known.name() == word)
            }
        }
    };
}

words! {
    /// What side of inclusive finance an indicator shows.
    Dimension { Usage = "usage", Access = "access", Quality = "quality", Equity = "equity", Timeliness = "timeliness" }
}

words! {
    /// Which way is better.
    Direction { Up = "up", Down = "down", None = "none" }
}

words! {
    /// What a row is for. The levels of areas bear the words of the areas themselves.
    Level {
        Bank = "bank", Branch = "branch", County = "county", Township = "township", Village = "village",
        Community = "community",
    }
}

/// The value aimed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub at: TargetValue,
    pub source: SourceReference,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetValue {
    Always(Decimal),
    /// By programme year of the bank's first grid, from year 1; the last holds for all later years.
    ByProgrammeYear(Vec<Decimal>),
}

/// How the value is made of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// numerator / denominator × factor.
    Ratio(Ratio),
    /// The numerator itself.
    Amount(Part),
    /// (now − before) / before.
    Growth(Growth),
    /// (growth of the part − growth of the whole) × factor.
    GrowthGap {
        part: Box<Growth>,
        whole: Box<Growth>,
        factor: Decimal,
    },
    /// The nearest-rank quantile: the ⌈rank × n⌉-th smallest.
    Quantile {
        observations: Observations,
        rank: Decimal,
    },
    Gini(Observations),
    Theil(Observations),
    /// The part of Theil's T that lies between branches.
    TheilBetween(Observations),
    /// The mean of the two distances of Sarma (2012).
    Index(Vec<Component>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratio {
    pub numerator: Part,
    pub denominator: Part,
    pub factor: Decimal,
    /// The numerator is part of the denominator.
    pub is_subset: bool,
    /// The denominator is the area's own figure, not a sum over the areas below.
    pub is_own: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    pub now: Part,
    pub before: Part,
}

/// One dimension of an index, with its frozen goalposts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Id of the indicator.
    pub indicator: String,
    pub weight: Decimal,
    pub worst: Decimal,
    pub best: Decimal,
}

impl Kind {
    /// Every part that is added up.
    pub fn parts(&self) -> Vec<&Part> {
        match self {
            Kind::Ratio(ratio) => vec![&ratio.numerator, &ratio.denominator],
            Kind::Amount(part) => vec![part],
            Kind::Growth(growth) => vec![&growth.now, &growth.before],
            Kind::GrowthGap { part, whole, .. } => vec![&part.now, &part.before, &whole.now, &whole.before],
            Kind::Quantile { .. } | Kind::Gini(_) | Kind::Theil(_) | Kind::TheilBetween(_) | Kind::Index(_) => vec![],
        }
    }

    pub fn observations(&self) -> Option<&Observations> {
        match self {
            Kind::Quantile { observations, .. }
            | Kind::Gini(observations)
            | Kind::Theil(observations)
            | Kind::TheilBetween(observations) => Some(observations),
            Kind::Ratio(_) | Kind::Amount(_) | Kind::Growth(_) | Kind::GrowthGap { .. } | Kind::Index(_) => None,
        }
    }

    fn tables(&self) -> Vec<BaseTable> {
        let mut tables: Vec<BaseTable> = self.parts().iter().map(|part| part.table).collect();
        tables.extend(self.observations().map(|observations| observations.table));
        tables
    }

    /// As the file writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Ratio(_) => "ratio",
            Kind::Amount(_) => "amount",
            Kind::Growth(_) => "growth",
            Kind::GrowthGap { .. } => "growth_gap",
            Kind::Quantile { .. } => "quantile",
            Kind::Gini(_) => "gini",
            Kind::Theil(_) => "theil",
            Kind::TheilBetween(_) => "theil_between",
            Kind::Index(_) => "index",
        }
    }
}

const KINDS: &[&str] =
    &["ratio", "amount", "growth", "growth_gap", "quantile", "gini", "theil", "theil_between", "index"];

/// Most digits after the point that a person is shown.
const DECIMALS_MAX: u32 = 9;

pub(super) fn read(version: &Table<'_>, sources: &Sources, contracts: &Contracts) -> Option<Definition> {
    let digest = blake3::hash(version.canonical().as_bytes()).to_hex().to_string();
    let name = version.label("version");
    let dimension = read_word(version, "dimension", &Dimension::names(), Dimension::of);
    let direction = read_word(version, "direction", &Direction::names(), Direction::of);
    let unit = read_unit(version);
    let decimals = read_decimals(version);
    let levels = read_levels(version);
    let by_segment = version.has("breakdowns") && !version.words("breakdowns", &["segment"])?.is_empty();
    let target = if version.has("target") { Some(read_target(version, sources)) } else { None };
    let kind = version.word("kind", KINDS).and_then(|kind| read_kind(version, &kind, contracts));
    let target = match target {
        Some(target) => Some(target?),
        None => None,
    };
    let (kind, levels) = (kind?, levels?);
    check_levels(version, &kind, &levels);
    if by_segment && kind.tables().iter().any(|&table| table != BaseTable::Households) {
        let hint = "leave `breakdowns` out: only households stand in a segment";
        version.fault("breakdowns", "a part is not over households, so it has no segments", hint);
    }
    Some(Definition {
        version: name?,
        digest,
        dimension: dimension?,
        kind,
        unit: unit?,
        decimals: decimals?,
        direction: direction?,
        levels,
        by_segment,
        target,
    })
}

fn read_word<T>(version: &Table<'_>, key: &str, known: &[&str], of: fn(&str) -> Option<T>) -> Option<T> {
    of(&version.word(key, known)?)
}

fn read_unit(version: &Table<'_>) -> Option<String> {
    let unit = version.label("unit")?;
    if unit.contains(char::is_whitespace) {
        let hint = "write it in one word, such as `per_1000_households`: it is a code in the exports";
        version.fault("unit", &format!("the unit `{unit}` holds blanks"), hint);
    }
    Some(unit)
}

fn read_decimals(version: &Table<'_>) -> Option<u32> {
    let decimals = version.count("decimals")?;
    if decimals > DECIMALS_MAX {
        version.fault("decimals", &format!("`decimals` is {decimals}"), &format!("write at most {DECIMALS_MAX}"));
    }
    Some(decimals)
}

fn read_levels(version: &Table<'_>) -> Option<Vec<Level>> {
    let words = version.words("levels", &Level::names())?;
    let mut levels: Vec<Level> = words.iter().filter_map(|word| Level::of(word)).collect();
    if levels.is_empty() {
        version.fault("levels", "the indicator has no level", "name at least `bank`");
        return None;
    }
    levels.sort_unstable();
    Some(levels)
}

fn read_target(version: &Table<'_>, sources: &Sources) -> Option<Target> {
    let table = version.table("target")?;
    let source = sources.reference(&table, "source");
    let at = match (table.has("value"), table.has("by_programme_year")) {
        (true, false) => table.decimal("value").map(TargetValue::Always),
        (false, true) => table.decimals("by_programme_year").map(TargetValue::ByProgrammeYear),
        _ => {
            let hint = "write `value = 0.75`, or `by_programme_year = [0.30, 0.70, 1.00]`";
            table.fault("value", "a target is one value, or one for each programme year", hint);
            None
        }
    };
    table.close();
    Some(Target { at: at?, source: source? })
}

fn read_kind(version: &Table<'_>, kind: &str, contracts: &Contracts) -> Option<Kind> {
    let part = |key: &str| parts::read_part(&version.table(key)?, contracts);
    let observations = || parts::read_observations(&version.table("observations")?, contracts);
    match kind {
        "ratio" => read_ratio(version, contracts).map(Kind::Ratio),
        "amount" => {
            if version.has("denominator") {
                let hint = "write `kind = \"ratio\"`, or remove the denominator";
                version.fault("denominator", "an amount has no denominator", hint);
            }
            part("numerator").map(Kind::Amount)
        }
        "growth" => read_growth(version, contracts).map(Kind::Growth),
        "growth_gap" => {
            let growth = |key: &str| {
                let table = version.table(key)?;
                let growth = read_growth(&table, contracts);
                table.close();
                growth
            };
            let (part, whole, factor) = (growth("part"), growth("whole"), read_factor(version));
            Some(Kind::GrowthGap { part: Box::new(part?), whole: Box::new(whole?), factor: factor? })
        }
        "quantile" => {
            let (observations, rank) = (observations(), version.share("rank"));
            if rank == Some(Decimal::ZERO) {
                version.fault("rank", "`rank` is 0", "write 0.5 for the median, 0.9 for the 90th percentile");
            }
            Some(Kind::Quantile { observations: observations?, rank: rank? })
        }
        "gini" => amounts(version, observations()?).map(Kind::Gini),
        "theil" => amounts(version, observations()?).map(Kind::Theil),
        "theil_between" => amounts(version, observations()?).map(Kind::TheilBetween),
        _ => read_components(version).map(Kind::Index),
    }
}

/// Inequality is taken of whole amounts, which add up exactly.
fn amounts(version: &Table<'_>, observations: Observations) -> Option<Observations> {
    if observations.scale.is_none() {
        version.fault("observations", "an inequality is taken of ratios", "name a column of counts or amounts");
        return None;
    }
    Some(observations)
}

fn read_factor(version: &Table<'_>) -> Option<Decimal> {
    if !version.has("factor") {
        return Some(Decimal::from_integer(1));
    }
    let factor = version.amount("factor")?;
    if factor == Decimal::ZERO {
        version.fault("factor", "`factor` is 0, so every value is 0", "leave it out for 1");
    }
    Some(factor)
}

fn read_ratio(version: &Table<'_>, contracts: &Contracts) -> Option<Ratio> {
    let [has_numerator, has_denominator] = ["numerator", "denominator"].map(|key| version.has(key));
    if has_numerator != has_denominator {
        let (there, missing) = if has_numerator { ("numerator", "denominator") } else { ("denominator", "numerator") };
        let hint = "a ratio is made of both; write `kind = \"amount\"` for a sum or count of its own";
        version.fault(there, &format!("the ratio has no {missing}"), hint);
    }
    let part = |key: &str, is_there: bool| {
        if is_there { parts::read_part(&version.table(key)?, contracts) } else { None }
    };
    let numerator = part("numerator", has_numerator);
    let denominator = part("denominator", has_denominator);
    if !has_numerator && !has_denominator {
        version.fault("kind", "the ratio has neither numerator nor denominator", "add both");
    }
    let factor = read_factor(version);
    let is_subset = if version.has("subset") { version.flag("subset")? } else { false };
    let is_own = version.has("aggregation") && version.word("aggregation", &["sum", "own"])? == "own";
    let (numerator, denominator, factor) = (numerator?, denominator?, factor?);
    if is_subset && numerator.table != denominator.table {
        let sentence = format!(
            "the numerator is over `{}` and the denominator over `{}`, so it is no subset of it",
            numerator.table.name(),
            denominator.table.name()
        );
        version.fault("subset", &sentence, "write both parts over one table, or remove `subset`");
    }
    let is_sum_over_areas = denominator.table == BaseTable::Areas && matches!(denominator.measure, Measure::Sum { .. });
    if is_own && !is_sum_over_areas {
        let hint = "write a denominator such as { id = \"adults\", table = \"areas\", measure = \"sum\", of = ... }";
        version.fault("aggregation", "only a column of `areas` is an area's own figure", hint);
    }
    Some(Ratio { numerator, denominator, factor, is_subset, is_own })
}

fn read_growth(table: &Table<'_>, contracts: &Contracts) -> Option<Growth> {
    let part = |key: &str| parts::read_part(&table.table(key)?, contracts);
    let (now, before) = (part("now"), part("before"));
    let growth = Growth { now: now?, before: before? };
    if growth.now.counts_households || growth.before.counts_households {
        let hint = "publish the count itself, as an amount: the difference of two counts tells who came and went";
        table.fault("now", "the growth is one of households, not of an amount", hint);
    }
    if growth.now.scale() != growth.before.scale() {
        table.fault("before", "`now` and `before` are in different units", "measure the same at both days");
    }
    Some(growth)
}

fn read_components(version: &Table<'_>) -> Option<Vec<Component>> {
    let mut components: Vec<Component> = Vec::new();
    let mut is_whole = true;
    for table in version.tables("components")? {
        let indicator = table.label("indicator");
        let (weight, worst, best) = (table.amount("weight"), table.decimal("worst"), table.decimal("best"));
        table.close();
        let (Some(indicator), Some(weight), Some(worst), Some(best)) = (indicator, weight, worst, best) else {
            is_whole = false;
            continue;
        };
        if worst == best {
            table.fault("best", "the goalposts `worst` and `best` are the same", "write two different values");
        }
        if weight == Decimal::ZERO {
            table.fault("weight", "`weight` is 0", "remove the component, or give it a weight");
        }
        components.push(Component { indicator, weight, worst, best });
    }
    is_whole.then_some(components)
}

/// Both sides of an indicator must be there at every level that it lists.
fn check_levels(version: &Table<'_>, kind: &Kind, levels: &[Level]) {
    let without = kind.tables().into_iter().find(|table| !table.has_branches());
    if let Some(table) = without.filter(|_| levels.contains(&Level::Branch)) {
        let sentence = format!("`{}` cannot be counted by branch", table.name());
        version.fault("levels", &sentence, "remove `branch`: areas and the branches in them are counted by area");
    }
    if matches!(kind, Kind::TheilBetween(_)) && levels != [Level::Bank] {
        version.fault("levels", "what lies between branches is there for the bank only", "write `levels = [\"bank\"]`");
    }
}
