//! A scorecard: the blocks and characteristics that make points of the facts of some kinds of household.
//! Leaves to the score stage the points of a household, and to `agreement` that every kind has exactly one card.

use super::bands::FULL_TENTHS;
use super::facts::{FactCatalogue, FactDefinition, find};
use super::sources::{Wording, wording};
use super::table::Table;
use super::words::HOUSEHOLD_KINDS;
use crate::decimal::{Decimal, format_scaled};

/// The maxima of its characteristics sum to 100.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scorecard {
    /// The file's name: `farm_household`.
    pub id: String,
    /// Household kinds that it is for.
    pub kinds: Vec<String>,
    pub blocks: Vec<Block>,
    /// In the order of the card, in which ties among reasons are broken.
    pub characteristics: Vec<Characteristic>,
}

/// A part of a scorecard that is switched on or off as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub id: String,
    pub name: Wording,
    /// Tenths of a point; the sum over its characteristics.
    pub max_points: i32,
    pub is_on: bool,
}

/// One measured fact and the points that its values earn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Characteristic {
    /// The fact's name, which is also the characteristic's id.
    pub fact: String,
    /// Position in the card's `blocks`.
    pub block: usize,
    pub direction: Direction,
    /// Read top to bottom, the first that fits counts; only the last has no bound.
    pub bins: Vec<Bin>,
    /// Tenths of a point for a null fact; less than the best bin's.
    pub missing_points: i32,
}

impl Characteristic {
    /// Tenths of a point of the best bin.
    pub fn max_points(&self) -> i32 {
        self.bins.iter().map(|bin| bin.points).max().unwrap_or(0)
    }
}

/// How the bounds of a characteristic are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A bin fits when the value is its bound or more.
    AtLeast,
    /// A bin fits when the value is its bound or less.
    AtMost,
}

/// A bound in the fact's unit as people write it (currency units, not cents), and tenths of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// None for the last bin, which fits everything else.
    pub bound: Option<Decimal>,
    pub points: i32,
}

/// `policy_id` is the file's name below the folder: `scorecards/farm_household`.
pub(super) fn read(version: &Table<'_>, policy_id: &str, facts: FactCatalogue<'_>) -> Option<Scorecard> {
    let kinds = version.words("kinds", HOUSEHOLD_KINDS);
    if kinds.as_ref().is_some_and(Vec::is_empty) {
        version.fault("kinds", "the card is for no kind of household", "name at least one kind, or remove the card");
    }
    let blocks = read_blocks(version);
    let characteristics = read_characteristics(version, blocks.as_deref(), facts);
    let (blocks, characteristics) = (blocks?, characteristics?);
    check_maxima(version, &blocks, &characteristics);
    let id = super::last_name(policy_id).to_owned();
    Some(Scorecard { id, kinds: kinds?, blocks, characteristics })
}

fn read_blocks(version: &Table<'_>) -> Option<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_whole = true;
    for table in version.tables("blocks")? {
        let (id, name) = (table.label("id"), wording(&table, "name"));
        let (max_points, is_on) = (table.tenths("max_points"), table.flag("is_on"));
        table.close();
        let (Some(id), Some(name), Some(max_points), Some(is_on)) = (id, name, max_points, is_on) else {
            is_whole = false;
            continue;
        };
        if blocks.iter().any(|block| block.id == id) {
            table.fault("id", &format!("the block `{id}` stands twice"), "give each block an id of its own");
        }
        blocks.push(Block { id, name, max_points, is_on });
    }
    if is_whole && blocks.iter().all(|block| !block.is_on) {
        version.fault("blocks", "every block is switched off, so there is no score", "write `is_on = true` for one");
    }
    is_whole.then_some(blocks)
}

/// None when a characteristic could not be read, or when the blocks that they stand in could not.
fn read_characteristics(
    version: &Table<'_>,
    blocks: Option<&[Block]>,
    facts: FactCatalogue<'_>,
) -> Option<Vec<Characteristic>> {
    let mut characteristics: Vec<Characteristic> = Vec::new();
    let mut is_whole = true;
    for table in version.tables("characteristics")? {
        let Some(characteristic) = read_characteristic(&table, blocks, facts) else {
            is_whole = false;
            continue;
        };
        if characteristics.iter().any(|other| other.fact == characteristic.fact) {
            let sentence = format!("the fact `{}` is used twice in the card", characteristic.fact);
            table.fault("fact", &sentence, "use each fact in one characteristic only");
        }
        characteristics.push(characteristic);
    }
    is_whole.then_some(characteristics)
}

fn read_characteristic(
    table: &Table<'_>,
    blocks: Option<&[Block]>,
    facts: FactCatalogue<'_>,
) -> Option<Characteristic> {
    let fact = table.label("fact");
    let block = table.label("block");
    let definition = fact.as_ref().and_then(|name| find(facts, name));
    if let (Some(name), None) = (&fact, definition) {
        let hint = "`wellfield rule` tells which facts there are; a scorecard can read no other";
        table.fault("fact", &format!("there is no fact `{name}`"), hint);
    }
    let block = block.zip(blocks).and_then(|(id, blocks)| find_block(table, &id, blocks));
    let bins = read_bins(table, definition);
    let missing_points = table.tenths("missing_points");
    table.close();
    let (direction, bins) = bins?;
    let read = Characteristic { fact: fact?, block: block?, direction, bins, missing_points: missing_points? };
    if read.missing_points >= read.max_points() {
        let hint = format!("write fewer than {}: what is not known is never the best", points(read.max_points()));
        let sentence = format!("a household without `{}` gets the points of the best bin", read.fact);
        table.fault("missing_points", &sentence, &hint);
    }
    Some(read)
}

fn find_block(table: &Table<'_>, id: &str, blocks: &[Block]) -> Option<usize> {
    let position = blocks.iter().position(|block| block.id == id);
    if position.is_none() {
        let known: Vec<&str> = blocks.iter().map(|block| block.id.as_str()).collect();
        table.fault("block", &format!("there is no block `{id}`"), &format!("the blocks are {}", known.join(", ")));
    }
    position
}

/// A bin as it is written: its bound with the direction, None for the last.
struct Row {
    bound: Option<(Direction, Decimal)>,
    points: i32,
}

fn read_bins(table: &Table<'_>, fact: Option<&FactDefinition>) -> Option<(Direction, Vec<Bin>)> {
    let rows = table.tables("bins")?;
    let count = rows.len();
    let mut bins: Vec<Row> = Vec::new();
    let mut is_whole = true;
    for (position, row) in rows.iter().enumerate() {
        match read_bin(row, position + 1 == count, fact) {
            Some(bin) => {
                check_bin(row, bins.last(), &bin);
                bins.push(bin);
            }
            None => is_whole = false,
        }
    }
    let Some(direction) = bins.iter().find_map(|bin| bin.bound).map(|(direction, _)| direction) else {
        if is_whole {
            let hint = "write at least one bin with `at_least` or `at_most` before the last";
            table.fault("bins", "no bin has a bound, so every household gets the same points", hint);
        }
        return None;
    };
    let bins = bins.into_iter().map(|row| Bin { bound: row.bound.map(|(_, bound)| bound), points: row.points });
    is_whole.then(|| (direction, bins.collect()))
}

fn read_bin(row: &Table<'_>, is_last: bool, fact: Option<&FactDefinition>) -> Option<Row> {
    let bound = match (row.has("at_least"), row.has("at_most")) {
        (true, false) => Some((Direction::AtLeast, "at_least")),
        (false, true) => Some((Direction::AtMost, "at_most")),
        (false, false) => None,
        (true, true) => {
            row.fault("at_most", "a bin has two bounds", "write either `at_least` or `at_most`");
            return None;
        }
    };
    let points = row.tenths("points");
    let value = bound.map(|(direction, key)| Some((direction, key, row.decimal(key)?)));
    row.close();
    let Some(value) = value else {
        if !is_last {
            let hint = "give the bin a bound, or move it to the end";
            row.fault("points", "a bin without a bound stands before the last, so no bin below it can fit", hint);
        }
        return Some(Row { bound: None, points: points? });
    };
    let (direction, key, bound) = value?;
    if is_last {
        let hint = "add a last bin such as `{ points = 0 }`, which fits everything else";
        row.fault(key, "the last bin has a bound, so some values fit no bin", hint);
    }
    if let Some((fact, wanted)) = fact.and_then(|fact| fact.kind.check(bound).err().map(|wanted| (fact, wanted))) {
        let hint = format!("a bound of `{}` must be {wanted}", fact.name);
        row.fault(key, &format!("`{key}` is {bound}"), &hint);
    }
    Some(Row { bound: Some((direction, bound)), points: points? })
}

/// A bin against the better one above it: same direction, a bound further on, no more points.
fn check_bin(row: &Table<'_>, better: Option<&Row>, bin: &Row) {
    let Some(better) = better else { return };
    if bin.points > better.points {
        let sentence = format!(
            "a worse bin gives more points than the one above it ({} after {})",
            points(bin.points),
            points(better.points)
        );
        row.fault("points", &sentence, "write the best bin first, and never more points further down");
    }
    let (Some((above, better)), Some((direction, bound))) = (better.bound, bin.bound) else { return };
    let key = if direction == Direction::AtLeast { "at_least" } else { "at_most" };
    let is_ordered = if direction == Direction::AtLeast { bound < better } else { bound > better };
    if above != direction {
        row.fault(key, "`at_least` and `at_most` are mixed in one characteristic", "use one of them in all its bins");
    } else if !is_ordered {
        let wanted = if direction == Direction::AtLeast { "smaller" } else { "larger" };
        let hint = format!("bounds with `{key}` become {wanted} from bin to bin");
        row.fault(key, &format!("the bound {bound} after {better} is out of order"), &hint);
    }
}

/// Every block holds what it says, and the card holds 100.
fn check_maxima(version: &Table<'_>, blocks: &[Block], characteristics: &[Characteristic]) {
    for (position, block) in blocks.iter().enumerate() {
        let maxima: Vec<i32> =
            characteristics.iter().filter(|one| one.block == position).map(Characteristic::max_points).collect();
        let sum: i32 = maxima.iter().fold(0, |sum, points| sum.saturating_add(*points));
        if maxima.is_empty() {
            let hint = "remove the block, or put a characteristic in it";
            version.fault("blocks", &format!("the block `{}` has no characteristic", block.id), hint);
        } else if sum != block.max_points {
            let sentence = format!("the best bins of the block `{}` sum to {}", block.id, points(sum));
            version.fault("blocks", &sentence, &format!("its max_points says {}", points(block.max_points)));
        }
    }
    let sum: i32 = characteristics.iter().fold(0, |sum, one| sum.saturating_add(one.max_points()));
    if sum != FULL_TENTHS {
        let sentence = format!("the best bins of the card sum to {} points", points(sum));
        version.fault("characteristics", &sentence, "the maxima of a scorecard must sum to 100");
    }
}

/// Tenths as people write points: `3.5`.
fn points(tenths: i32) -> String {
    format_scaled(tenths.into(), 1)
}
