//! Digests of what a run published, to tell at once whether two runs hold the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use super::files_below;
use super::published::TABLES;

/// Digest of every output table and of every file for the regulator, by its path in the run. The manifest and the
/// lineage are none of them: they tell seconds.
pub fn digests(run: &Path) -> BTreeMap<String, String> {
    let is_data = |path: &Path| !path.ends_with("manifest.json") && !path.ends_with("lineage.ndjson");
    let digest = |path: &Path| blake3::hash(&std::fs::read(path).unwrap()).to_hex().to_string();
    let name = |path: &Path| path.strip_prefix(run).unwrap().to_string_lossy().into_owned();
    files_below(run, &is_data).iter().map(|path| (name(path), digest(path))).collect()
}

/// Digest of every output table as it would be in a run of the id `0…0`: a file bears its run's id beside the rows,
/// and runs of other inputs have other ids.
pub fn digests_without_run_id(run: &Path) -> BTreeMap<&'static str, String> {
    let id = run.file_name().unwrap().as_encoded_bytes();
    TABLES.into_iter().map(|table| (table, digest_without(&run.join(format!("{table}.parquet")), id))).collect()
}

fn digest_without(path: &Path, id: &[u8]) -> String {
    let mut bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut at = 0;
    while let Some(next) = bytes.get(at..at + id.len()) {
        if next == id {
            bytes[at..at + id.len()].fill(b'0');
        }
        at += 1;
    }
    blake3::hash(&bytes).to_hex().to_string()
}
