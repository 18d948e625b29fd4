//! Identifiers to positions: which row, if any, a reference means. Text is compared once, here; every later stage
//! works on the positions.

use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{Array, LargeStringArray};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

/// The identifiers of one table. Positions count the distinct identifiers of its accepted rows.
///
/// Exports mostly stand in the order of what they refer to, and a table in the order of its identifiers. So the
/// identifiers after the last one are tried first, and a table in order is searched by halves; it is hashed only when
/// it is asked for many in no order.
#[derive(Debug, Default)]
pub struct IdIndex {
    accepted: Option<LargeStringArray>,
    /// Identifiers that no accepted row has.
    others: HashMap<String, Meaning>,
    is_sorted: bool,
    /// How many were searched for by halves.
    searched: AtomicU32,
    hashed: OnceLock<Hashed>,
}

#[derive(Debug)]
struct Hashed {
    positions: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// Positions that are tried after the last one.
const NEAR: u32 = 4;
/// What is looked through behind them: so many, then so many more.
const STRIDES: [usize; 7] = [4, 8, 16, 32, 64, 128, 256];
/// Searches by halves after which a table is hashed.
const SEARCHES_MAX: u32 = 1 << 14;

/// What a reference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The position of an accepted identifier.
    Accepted(u32),
    /// Every row with the identifier was set aside.
    SetAside,
    /// The rows with the identifier are not yet known.
    NotKnown,
    Nothing,
}

impl IdIndex {
    /// Of distinct accepted identifiers, and of the identifiers of rows that were set aside or are not known;
    /// an identifier keeps the first meaning that it is given.
    pub fn new(accepted: LargeStringArray, others: impl IntoIterator<Item = (String, Meaning)>) -> IdIndex {
        let ids = || accepted.iter().flatten();
        let is_sorted = ids().zip(ids().skip(1)).all(|(one, next)| one < next);
        let mut index = IdIndex { accepted: Some(accepted), is_sorted, ..IdIndex::default() };
        for (id, meaning) in others {
            if index.find(&id) == Meaning::Nothing {
                index.others.insert(id, meaning);
            }
        }
        index
    }

    pub fn find(&self, id: &str) -> Meaning {
        match self.position(id) {
            Some(position) => Meaning::Accepted(position),
            None => self.others.get(id).copied().unwrap_or(Meaning::Nothing),
        }
    }

    /// The position of an accepted identifier, where it stands a little after another. A table in order that was not
    /// hashed is looked through further, in strides that double: whoever leaves many out mostly names the others in order.
    pub fn near(&self, position: u32, id: &str) -> Option<u32> {
        let ids = self.accepted.as_ref()?;
        let last = u32::try_from(ids.len()).unwrap_or(u32::MAX).min(position.saturating_add(NEAR + 1));
        let next = (position.saturating_add(1)..last).find(|&next| ids.value(next as usize) == id);
        next.or_else(|| if self.is_searched() { further(ids, last as usize, id) } else { None })
    }

    fn is_searched(&self) -> bool {
        self.is_sorted && self.hashed.get().is_none()
    }

    fn position(&self, id: &str) -> Option<u32> {
        let ids = self.accepted.as_ref()?;
        // One thread hashes the table; the others search on meanwhile.
        if self.is_searched() && self.searched.fetch_add(1, Ordering::Relaxed) != SEARCHES_MAX {
            return search(ids, 0..ids.len(), id);
        }
        let Hashed { positions, hasher } = self.hashed.get_or_init(|| Hashed::of(ids));
        positions.find(hasher.hash_one(id), |&position| ids.value(position as usize) == id).copied()
    }

    /// How many distinct accepted identifiers there are; positions are below it.
    pub fn accepted(&self) -> usize {
        self.accepted.as_ref().map_or(0, Array::len)
    }

    /// The accepted identifiers, by position.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.accepted.iter().flat_map(|accepted| accepted.iter().flatten())
    }

    /// The identifier at a position.
    pub fn id(&self, position: u32) -> &str {
        let ids = self.accepted.as_ref().filter(|ids| (position as usize) < ids.len());
        ids.map_or("", |ids| ids.value(position as usize))
    }
}

impl Hashed {
    fn of(ids: &LargeStringArray) -> Hashed {
        let hasher = DefaultHashBuilder::default();
        let mut positions = HashTable::with_capacity(ids.len());
        for (position, id) in (0..).zip(ids.iter().flatten()) {
            let hash = |&position: &u32| hasher.hash_one(ids.value(position as usize));
            positions.insert_unique(hasher.hash_one(id), position, hash);
        }
        Hashed { positions, hasher }
    }
}

/// Finds an identifier in a table in order, at a place or not far behind it.
fn further(ids: &LargeStringArray, from: usize, id: &str) -> Option<u32> {
    let is_before = |at: usize| at < ids.len() && ids.value(at) < id;
    let mut begin = from;
    for stride in STRIDES {
        let end = begin + stride;
        if !is_before(end) {
            return search(ids, begin..ids.len().min(end + 1), id);
        }
        begin = end + 1;
    }
    None
}

/// Finds an identifier in a part of a table that stands in the order of its identifiers.
fn search(ids: &LargeStringArray, part: Range<usize>, id: &str) -> Option<u32> {
    let Range { start: mut from, end: mut to } = part;
    while from < to {
        let middle = usize::midpoint(from, to);
        match ids.value(middle).cmp(id) {
            std::cmp::Ordering::Less => from = middle + 1,
            std::cmp::Ordering::Greater => to = middle,
            std::cmp::Ordering::Equal => return u32::try_from(middle).ok(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_means_its_accepted_row_first() {
        let others = [("B", Meaning::SetAside), ("C", Meaning::SetAside), ("C", Meaning::NotKnown)];
        let others = others.map(|(id, meaning)| (id.to_string(), meaning));
        let index = IdIndex::new(LargeStringArray::from(vec!["A", "B"]), others);
        assert_eq!(index.find("A"), Meaning::Accepted(0));
        assert_eq!(index.find("B"), Meaning::Accepted(1));
        assert_eq!(index.find("C"), Meaning::SetAside);
        assert_eq!(index.find("D"), Meaning::Nothing);
    }

    #[test]
    fn identifiers_are_found_in_any_order_and_however_many_are_looked_for() {
        for ids in [vec!["A", "C", "E", "G", "I", "K", "M"], vec!["M", "A", "K", "C", "I", "E", "G"]] {
            let index = IdIndex::new(LargeStringArray::from(ids.clone()), []);
            for _ in 0..=SEARCHES_MAX {
                assert_eq!(["@", "D", "Z"].map(|id| index.find(id)), [Meaning::Nothing; 3]);
                for (position, id) in (0..).zip(&ids) {
                    assert_eq!(index.find(id), Meaning::Accepted(position));
                }
            }
            assert_eq!(index.near(0, ids[1]), Some(1));
            assert_eq!(index.near(0, ids[NEAR as usize]), Some(NEAR));
            assert_eq!((index.near(0, ids[0]), index.near(0, ids[6]), index.near(6, ids[0])), (None, None, None));
        }
    }

    #[test]
    fn an_identifier_behind_another_is_found_in_a_table_in_order() {
        let ids: Vec<String> = (0..1_000).map(|number| format!("{:04}", number * 2)).collect();
        let index = IdIndex::new(LargeStringArray::from_iter_values(&ids), []);
        for from in [0, 1, 17, 990, 999] {
            for (position, id) in (0..).zip(&ids) {
                let is_near = from < position && position <= from + NEAR;
                match index.near(from, id) {
                    Some(found) => assert_eq!(found, position),
                    None => assert!(!is_near && !(from..from + 500).contains(&position) || position == from),
                }
            }
            assert!((0..1_000).all(|number| index.near(from, &format!("{:04}", number * 2 + 1)).is_none()));
        }
        assert_eq!(IdIndex::new(LargeStringArray::from(Vec::<&str>::new()), []).near(0, "A"), None);
    }
}
