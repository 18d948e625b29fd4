//! Where the visits of each branch lie until they are checked: in memory, branch by branch, or, where there is no room,
//! in a file, cut into shards of whole branches of which one at a time is in memory. Which of them changes no result.

use crate::fault::{Error, Result};
use crate::read::spill::{Spill, Stretch};

use super::record::{self, RECORD_BYTES, Record};

/// Records of a branch that lie together in memory.
const BLOCK: usize = 256;
/// Bytes that are set down at once.
const WRITTEN_BYTES: usize = 1 << 20;

/// How much room a run gives its visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Parts into which the branches are cut; one: all visits stay in memory.
    pub shards: usize,
}

impl Room {
    /// Everything in memory.
    pub fn enough() -> Room {
        Room { shards: 1 }
    }

    /// Room for so many visits of 24 months in so many bytes.
    pub fn of(visits: u64, bytes: u64) -> Room {
        let needed = visits.saturating_mul(RECORD_BYTES as u64 + LISTED_BYTES);
        let shards = needed.div_ceil(bytes.max(1)).clamp(1, SHARDS_MAX);
        Room { shards: usize::try_from(shards).unwrap_or(1) }
    }
}

/// About what a visit takes beside its record, for the table of checks.
const LISTED_BYTES: u64 = 48;
/// More shards would be written in pieces too small.
const SHARDS_MAX: u64 = 64;

/// The records of one branch, in the order of the log.
pub(super) type OfBranch = (u32, Vec<Record>);

#[derive(Debug)]
pub(super) enum Store {
    /// By branch, in blocks: a branch that grows is not moved.
    Held(Vec<Vec<Vec<Record>>>),
    SetDown {
        spill: Spill,
        /// By branch its shard.
        shard_of: Vec<u32>,
        shards: Vec<Shard>,
    },
}

/// Records of the branches of one shard.
#[derive(Clone, Debug, Default)]
pub(super) struct Shard {
    buffer: Vec<u8>,
    stretches: Vec<Stretch>,
}

impl Store {
    /// `sizes` tells about how many visits each branch has beside the others.
    pub fn begin(sizes: &[u32], room: &Room) -> Result<Store> {
        let shards = room.shards.min(sizes.len()).max(1);
        if shards == 1 {
            return Ok(Store::Held(vec![Vec::new(); sizes.len()]));
        }
        Ok(Store::SetDown {
            spill: Spill::begin()?,
            shard_of: spread(sizes, shards),
            shards: vec![Shard::default(); shards],
        })
    }

    pub fn push(&mut self, branch: u32, record: Record) -> Result<()> {
        let no_branch = || Error::internal("a visit is of no branch");
        match self {
            Store::Held(branches) => {
                let blocks = branches.get_mut(branch as usize).ok_or_else(no_branch)?;
                match blocks.last_mut().filter(|block| block.len() < BLOCK) {
                    Some(block) => block.push(record),
                    None => {
                        let mut block = Vec::with_capacity(BLOCK);
                        block.push(record);
                        blocks.push(block);
                    }
                }
            }
            Store::SetDown { spill, shard_of, shards } => {
                let shard = shard_of.get(branch as usize).and_then(|&shard| shards.get_mut(shard as usize));
                let shard = shard.ok_or_else(no_branch)?;
                record::write(branch, &record, &mut shard.buffer);
                if shard.buffer.len() >= WRITTEN_BYTES {
                    shard.set_down(spill)?;
                }
            }
        }
        Ok(())
    }

    /// How many shards there are, to be taken one after the other.
    pub fn shards(&self) -> usize {
        match self {
            Store::Held(_) => 1,
            Store::SetDown { shards, .. } => shards.len(),
        }
    }

    /// The records of one shard, branch by branch; a shard is taken once.
    pub fn take(&mut self, shard: usize) -> Result<Vec<Branch>> {
        let mut found = Vec::new();
        match self {
            Store::Held(branches) => {
                let blocks = std::mem::take(branches).into_iter().enumerate();
                found.extend(blocks.map(|(branch, blocks)| Branch { branch: branch as u32, blocks }));
            }
            Store::SetDown { spill, shard_of, shards } => {
                let Some(taken) = shards.get_mut(shard).map(std::mem::take) else { return Ok(Vec::new()) };
                let mut by_branch: Vec<Vec<Record>> = vec![Vec::new(); shard_of.len()];
                for stretch in taken.stretches {
                    sort_in(spill.read(stretch)?.as_slice(), &mut by_branch)?;
                }
                sort_in(&taken.buffer, &mut by_branch)?;
                let blocks = by_branch.into_iter().enumerate();
                found.extend(blocks.map(|(branch, records)| Branch { branch: branch as u32, blocks: vec![records] }));
            }
        }
        found.retain(|branch| branch.blocks.iter().any(|block| !block.is_empty()));
        Ok(found)
    }
}

/// The blocks of one branch.
pub(super) struct Branch {
    branch: u32,
    blocks: Vec<Vec<Record>>,
}

impl Branch {
    pub fn records(self) -> OfBranch {
        let mut blocks = self.blocks.into_iter();
        let mut records = blocks.next().unwrap_or_default();
        blocks.for_each(|block| records.extend(block));
        (self.branch, records)
    }
}

impl Shard {
    fn set_down(&mut self, spill: &mut Spill) -> Result<()> {
        self.stretches.push(spill.write(&self.buffer)?);
        self.buffer.clear();
        Ok(())
    }
}

fn sort_in(bytes: &[u8], by_branch: &mut [Vec<Record>]) -> Result<()> {
    for bytes in bytes.chunks(RECORD_BYTES) {
        let read = record::read(bytes).and_then(|(branch, record)| Some((by_branch.get_mut(branch as usize)?, record)));
        let (records, record) = read.ok_or_else(|| Error::internal("a visit was set down and not found again"))?;
        records.push(record);
    }
    Ok(())
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
    use super::*;

    #[test]
    fn branches_are_spread_by_their_size() {
        assert_eq!(spread(&[5, 100, 5, 60, 30], 2), [1, 0, 1, 1, 1]);
        assert_eq!(spread(&[0, 0, 0, 0], 2), [0, 1, 0, 1]);
    }

    #[test]
    fn there_is_room_for_all_or_for_a_part() {
        assert_eq!(Room::of(1_000, 1 << 30), Room::enough());
        assert_eq!(Room::of(1 << 20, 1 << 25).shards, 4);
        assert_eq!(Room::of(u64::MAX, 1).shards, 64);
    }
}
