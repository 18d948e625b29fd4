//! Where the visits of each branch lie until they are checked: packed in blocks, in memory or, where there is no room, in a
//! file. Branches are cut into shards, of which one at a time is taken up. Neither changes any result.

use std::borrow::Cow;
use std::ops::Range;

use crate::calendar::day_of;
use crate::fault::{Error, Result};
use crate::read::spill::{Kept, Spill};

use super::buckets::Slots;
use super::intake::{PreparedBlock, PreparedBlocks};
use super::packed::Packer;
use super::record::{self, BLOCK, Meant, Record};

/// How much room a run gives its visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Parts into which the branches are cut. One: all visits stay in memory; more: they lie in a file until their part
    /// is checked.
    pub shards: usize,
    /// Of visits in a file, the bytes that may wait in memory all the same.
    pub held: u64,
}

impl Room {
    /// Everything in memory.
    pub fn enough() -> Room {
        Room::in_shards(1)
    }

    /// So many parts, and no visit in memory before its part is checked, where there are several.
    pub fn in_shards(shards: usize) -> Room {
        Room { shards, held: 0 }
    }

    /// Room for so many visits of 24 months in so many bytes.
    pub fn of(visits: u64, bytes: u64) -> Room {
        let needed = visits.saturating_mul(VISIT_BYTES);
        let shards = needed.div_ceil(bytes.max(1)).clamp(1, SHARDS_MAX);
        let held = if shards == 1 { 0 } else { bytes };
        Room { shards: usize::try_from(shards).unwrap_or(1), held }
    }

    /// Where visits wait for their check: in memory where there is room for all of them at once.
    pub fn for_check(&self) -> Result<Spill> {
        if self.shards == 1 { Ok(Spill::in_memory()) } else { Spill::beyond(self.held) }
    }

    /// Where what is kept of them for longer lies: where others need the memory meanwhile.
    pub fn for_later(&self) -> Result<Spill> {
        if self.shards == 1 { Ok(Spill::in_memory()) } else { Spill::in_a_file() }
    }
}

/// What a visit takes, packed, in a log that packs badly (positions of many decimals, identifiers in no order): its record,
/// and what the table of checks and the indicators show of it. Most take two thirds of it.
const VISIT_BYTES: u64 = 72;
/// More shards would have few branches each.
const SHARDS_MAX: u64 = 64;

#[derive(Debug)]
pub(super) struct Store {
    spill: Spill,
    packer: Packer,
    /// The visits that came together so far.
    batches: Vec<Batch>,
    /// By branch.
    lots: Vec<Lot>,
    /// By branch its shard.
    shard_of: Vec<u32>,
    shards: usize,
}

/// Visits that came together: their blocks one after the other.
#[derive(Debug)]
struct Batch {
    kept: Kept,
    /// What their numbers count from, and the devices among which theirs are places; None where both are themselves.
    within: Option<(u32, Vec<u32>)>,
}

impl Batch {
    fn meant(&self) -> Meant<'_> {
        self.within.as_ref().map_or(Meant::AsTheyAre, |(first, devices)| Meant::Within { first: *first, devices })
    }
}

/// The records of one branch; of those that did not come packed the last ones are not packed yet.
#[derive(Debug, Default)]
struct Lot {
    rows: usize,
    blocks: Vec<Block>,
    open: Vec<Record>,
}

/// Records of one branch that are packed.
#[derive(Debug)]
struct Block {
    rows: u32,
    /// With which others they came, and where they lie among them.
    batch: u32,
    part: Range<usize>,
}

impl Store {
    /// `sizes` tells about how many visits each branch has beside the others.
    pub fn begin(sizes: &[u32], room: &Room) -> Result<Store> {
        let shards = room.shards.min(sizes.len()).max(1);
        Ok(Store {
            spill: room.for_check()?,
            packer: Packer::default(),
            batches: Vec::new(),
            lots: sizes.iter().map(|_| Lot::default()).collect(),
            shard_of: spread(sizes, shards),
            shards,
        })
    }

    /// Takes blocks of visits that came together, whose numbers count from `first`.
    pub fn take_blocks(&mut self, first: u32, devices: Vec<u32>, prepared: PreparedBlocks) -> Result<()> {
        let batch = self.batches.len() as u32;
        self.batches.push(Batch { kept: self.spill.keep(prepared.bytes)?, within: Some((first, devices)) });
        for PreparedBlock { branch, rows, part } in prepared.blocks {
            let lot = self.lots.get_mut(branch as usize).ok_or_else(no_branch)?;
            lot.rows += rows as usize;
            lot.blocks.push(Block { rows, batch, part });
        }
        Ok(())
    }

    /// Takes one visit, with its number in the log and its device's.
    pub fn push(&mut self, branch: u32, record: Record) -> Result<()> {
        let lot = self.lots.get_mut(branch as usize).ok_or_else(no_branch)?;
        lot.rows += 1;
        lot.open.push(record);
        if lot.open.len() == BLOCK {
            record::pack(&lot.open, &mut self.packer);
            lot.open.clear();
            let bytes = self.packer.end();
            lot.blocks.push(Block { rows: BLOCK as u32, batch: self.batches.len() as u32, part: 0..bytes.len() });
            self.batches.push(Batch { kept: self.spill.keep(bytes)?, within: None });
        }
        Ok(())
    }

    /// How many shards there are, to be taken one after the other.
    pub fn shards(&self) -> usize {
        self.shards
    }

    /// The branches of one shard that have visits; a shard is taken once.
    pub fn take(&mut self, shard: usize) -> Vec<Branch> {
        let lots = (0..).zip(&mut self.lots).zip(&self.shard_of);
        let of_shard = lots.filter(|(_, of)| **of as usize == shard).map(|(lot, _)| lot);
        let taken = of_shard.map(|(branch, lot)| Branch { branch, lot: std::mem::take(lot) });
        taken.filter(|branch| branch.lot.rows > 0).collect()
    }

    /// The records of a branch that was taken, in place of what `records` held, day by day. Where each day ends among them.
    pub fn by_day(&self, Branch { lot, .. }: &Branch, records: &mut Vec<Record>) -> Result<Vec<usize>> {
        // Each is found once: from a file that takes as long as all that is done with it.
        let found = lot.blocks.iter().map(|Block { rows, batch, part }| {
            let batch = self.batch(*batch)?;
            Ok((*rows as usize, batch.meant(), self.spill.find_part(&batch.kept, part.clone())?))
        });
        let blocks: Vec<(usize, Meant, Cow<[u8]>)> = found.collect::<Result<_>>()?;
        let mut days: Vec<i32> = Vec::with_capacity(lot.rows);
        for (rows, _, bytes) in &blocks {
            record::starts(bytes, *rows, |started_at| days.push(day_of(started_at).0))?;
        }
        days.extend(lot.open.iter().map(|record| day_of(record.started_at).0));
        let Some((&first, &last)) = days.iter().min().zip(days.iter().max()) else {
            records.clear();
            return Ok(Vec::new());
        };
        let since_first = |day: i32| first.abs_diff(day) as usize;
        let mut slots = Slots::of(days.iter().map(|&day| since_first(day)), since_first(last) + 1);
        // Every one of them is written over, where its day lies: nobody has to look for it there from somewhere else.
        records.resize(lot.rows, Record::BLANK);
        let mut put = |record: &Record| {
            let slot = slots.next(since_first(day_of(record.started_at).0));
            slot.and_then(|slot| records.get_mut(slot)).into_iter().for_each(|slot| *slot = *record);
        };
        let mut of_block = [Record::BLANK; BLOCK];
        for (rows, meant, bytes) in blocks {
            let of_block = of_block.get_mut(..rows).ok_or_else(too_many)?;
            record::unpack(&bytes, meant, of_block)?;
            of_block.iter().for_each(&mut put);
        }
        lot.open.iter().for_each(&mut put);
        Ok(slots.ends())
    }

    fn batch(&self, number: u32) -> Result<&Batch> {
        self.batches.get(number as usize).ok_or_else(|| Error::internal("visits came with others that did not come"))
    }
}

fn too_many() -> Error {
    Error::internal("a block has more visits than are packed together")
}

fn no_branch() -> Error {
    Error::internal("a visit is of no branch")
}

/// One branch of a shard.
pub(super) struct Branch {
    branch: u32,
    lot: Lot,
}

impl Branch {
    /// Its position among the branches.
    pub fn number(&self) -> u32 {
        self.branch
    }
}

/// Branches onto shards, the largest first, each onto the one that has the least so far.
fn spread(sizes: &[u32], shards: usize) -> Vec<u32> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&branch| std::cmp::Reverse(sizes.get(branch).copied()));
    let mut loads = vec![0_u64; shards];
    let mut shard_of = vec![0_u32; sizes.len()];
    for branch in order {
        let least = loads.iter().enumerate().min_by_key(|(_, load)| **load).map_or(0, |(shard, _)| shard);
        // A branch without households still counts, so that many small ones are spread too.
        let size = u64::from(sizes.get(branch).copied().unwrap_or(0)) + 1;
        if let (Some(load), Some(slot)) = (loads.get_mut(least), shard_of.get_mut(branch)) {
            *load += size;
            *slot = least as u32;
        }
    }
    shard_of
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::MICROSECONDS_A_DAY;

    proptest! {
        #[test]
        fn visits_of_a_day_stand_together(
            moments in prop::collection::vec((-40..40_i64, 0..24_i64), 0..600),
            shards in 1..3_usize,
            held in 0..4_000_u64,
        ) {
            // One of two branches, so that a room is used for more than one.
            let mut store = Store::begin(&[0, 0], &Room { shards, held }).unwrap();
            for (number, (day, hour)) in (0..).zip(&moments) {
                let started_at = day * MICROSECONDS_A_DAY + hour * MICROSECONDS_A_DAY / 24;
                store.push(number % 3 / 2, Record { started_at, number, ..Record::BLANK }).unwrap();
            }
            let mut records = Vec::new();
            for branch in (0..store.shards()).flat_map(|shard| store.take(shard)).collect::<Vec<_>>() {
                let days = store.by_day(&branch, &mut records).unwrap();
                let of_branch = (0..).zip(&moments).filter(|(number, _)| number % 3 / 2 == branch.number());
                let mut expected: Vec<(i64, u32)> = of_branch.map(|(number, (day, _))| (*day, number)).collect();
                expected.sort_unstable();
                let day = |record: &Record| i64::from(day_of(record.started_at).0);
                let found: Vec<(i64, u32)> = records.iter().map(|record| (day(record), record.number)).collect();
                prop_assert_eq!(found, expected);
                let is_end = |&end: &usize| records.get(end).is_none_or(|next| day(next) != day(&records[end - 1]));
                prop_assert!(days.iter().filter(|&&end| end > 0).all(is_end));
                prop_assert_eq!(days.last().copied().unwrap_or(0), records.len());
            }
        }
    }

    #[test]
    fn branches_are_spread_by_their_size() {
        assert_eq!(spread(&[5, 100, 5, 60, 30], 2), [1, 0, 1, 1, 1]);
        assert_eq!(spread(&[0, 0, 0, 0], 2), [0, 1, 0, 1]);
    }

    #[test]
    fn there_is_room_for_all_or_for_a_part() {
        assert_eq!(Room::of(1_000, 1 << 30), Room::enough());
        assert_eq!(Room::of(1 << 20, 1 << 25), Room { shards: 3, held: 1 << 25 });
        assert_eq!(Room::of(u64::MAX, 1).shards, 64);
    }
}
