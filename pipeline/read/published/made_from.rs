//! What a run is a function of, and the id that follows from it: everything that a manifest says of where a run came
//! from, so that anybody can work the id out again from the manifest alone.

use std::collections::BTreeMap;

use crate::calendar::Date;
use crate::read::ReadFile;

/// What a run is a function of, apart from its as-of date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MadeFrom {
    pub program_version: String,
    pub rulebook_digest: String,
    /// Digest of each indicator's definition in force, by the indicator's id; they follow from the rulebook.
    pub definitions: BTreeMap<String, String>,
    pub previous_run: Option<String>,
    /// Digest of `bank.toml`, which says how the input files are read.
    pub bank_digest: String,
    pub inputs: Vec<ReadFile>,
}

/// Hexadecimal digits of a run id: 80 bits, enough to tell every run of every bank apart.
const RUN_ID_LENGTH: usize = 20;

impl MadeFrom {
    /// The same of all these gives the same id, whatever the machine and the number of threads.
    pub fn run_id(&self, as_of: Date) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &str| {
            // The length before each part keeps two lists of parts from looking like one another.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        };
        add(&self.program_version);
        add(&as_of.to_string());
        add(&self.rulebook_digest);
        add(self.previous_run.as_deref().unwrap_or("none"));
        add(&self.bank_digest);
        for file in &self.inputs {
            add(&file.table);
            add(&file.path);
            add(&file.digest);
        }
        hasher.finalize().to_hex().chars().take(RUN_ID_LENGTH).collect()
    }
}
