//! What an adapter made of a bank's own files.

use arrow::array::RecordBatch;

/// The rows, and for each the name and row of the input that it came from, where that is known.
pub struct Adapted {
    pub batch: RecordBatch,
    pub lineage: Option<Lineage>,
}

pub struct Lineage {
    /// The input's name in `bank.toml`.
    pub name: String,
    /// For each row of the result the row of that input, from 0, over its files in path order.
    pub rows: Vec<u64>,
}
