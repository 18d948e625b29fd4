//! Rows of a register table in the byte order of their identifiers, the order of every key that begins with one.

use crate::clean::typed::Texts;

/// Rows by identifier, and for each row its place in that order.
pub(super) struct ById {
    pub rows: Vec<usize>,
    pub places: Vec<usize>,
}

impl ById {
    pub fn of(ids: &Texts, rows: usize) -> ById {
        let mut sorted: Vec<usize> = (0..rows).collect();
        sorted.sort_unstable_by_key(|&row| ids.text(row));
        let mut places = vec![0; rows];
        for (place, &row) in sorted.iter().enumerate() {
            if let Some(slot) = places.get_mut(row) {
                *slot = place;
            }
        }
        ById { rows: sorted, places }
    }

    pub fn place(&self, row: usize) -> usize {
        self.places.get(row).copied().unwrap_or(usize::MAX)
    }
}
