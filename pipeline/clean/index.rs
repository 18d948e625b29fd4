//! Identifiers to positions: which row, if any, a reference means. Text is compared once, here; every later stage
//! works on the positions.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher as _;

use arrow::array::{Array, LargeStringArray};

/// The identifiers of one table. Positions count the distinct identifiers of its accepted rows.
#[derive(Debug, Default)]
pub struct IdIndex {
    accepted: Option<LargeStringArray>,
    others: Vec<(String, Meaning)>,
    entries: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

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
        let mut index = IdIndex { entries: HashTable::with_capacity(accepted.len()), ..IdIndex::default() };
        index.accepted = Some(accepted.clone());
        for (entry, id) in (0..).zip(accepted.iter().flatten()) {
            index.insert(id, entry);
        }
        for (id, meaning) in others {
            if index.find(&id) == Meaning::Nothing {
                let entry = accepted.len() + index.others.len();
                index.others.push((id.clone(), meaning));
                index.insert(&id, u32::try_from(entry).unwrap_or(u32::MAX));
            }
        }
        index
    }

    fn insert(&mut self, id: &str, entry: u32) {
        let IdIndex { accepted, others, entries, hasher } = self;
        let hash = hasher.hash_one(id);
        entries.insert_unique(hash, entry, |&entry| hasher.hash_one(text_of(accepted.as_ref(), others, entry)));
    }

    pub fn find(&self, id: &str) -> Meaning {
        let hash = self.hasher.hash_one(id);
        let found = self.entries.find(hash, |&entry| text_of(self.accepted.as_ref(), &self.others, entry) == id);
        let Some(&entry) = found else { return Meaning::Nothing };
        let accepted = self.accepted.as_ref().map_or(0, Array::len);
        match (entry as usize).checked_sub(accepted) {
            None => Meaning::Accepted(entry),
            Some(other) => self.others.get(other).map_or(Meaning::Nothing, |(_, meaning)| *meaning),
        }
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
        text_of(self.accepted.as_ref(), &self.others, position)
    }
}

fn text_of<'a>(accepted: Option<&'a LargeStringArray>, others: &'a [(String, Meaning)], entry: u32) -> &'a str {
    let entry = entry as usize;
    match accepted {
        Some(ids) if entry < ids.len() => ids.value(entry),
        _ => {
            let other = entry - accepted.map_or(0, Array::len);
            others.get(other).map_or("", |(id, _)| id.as_str())
        }
    }
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
}
