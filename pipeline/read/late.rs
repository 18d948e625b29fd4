//! Digests of a log's Parquet files that are taken while the log is read: of each file shortly before its first rows are
//! read, and shortly after its last ones. Where a bank's files are more than memory holds, all three passes over a file
//! so meet its bytes in memory, and the disk is read once.
//! Leaves to whoever reads the log that the steps are taken in their order, and sees to it that nothing else is read.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fault::{Error, Result};

use super::{ReadFile, UNREADABLE, WRITTEN_AGAIN, change, changed_fault, files};

/// One of the things that are done to read a log; files are those whose digests wait, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The digest of a file, before any of its rows is read.
    Before(usize),
    /// The rows of a piece.
    Piece(usize),
    /// The digest of a file once more, after the last of its rows was read.
    After(usize),
    /// Nothing, where a piece must keep its distance from the digest before it.
    Nothing,
}

/// The steps of a log whose pieces lie in these files. Whoever begins a step only when the one `ahead` before it is done
/// has digested each file before its first piece, and read its last one before `After`: they lie so far from each other.
/// Files at the end that leave no such room have no `After` and are looked at when all tables are done, many at a time.
pub fn steps(files: &[Option<usize>], ahead: usize) -> Vec<Step> {
    let places = || files.iter().enumerate().filter_map(|(piece, file)| Some(((*file)?, piece)));
    let (last, first): (BTreeMap<usize, usize>, BTreeMap<usize, usize>) =
        (places().collect(), places().rev().collect());
    let mut to_digest: Vec<(usize, usize)> = first.into_iter().map(|(file, piece)| (piece, file)).collect();
    to_digest.sort_unstable();
    let mut to_digest = VecDeque::from(to_digest);
    // By file the step of its digest; of files that were read the first step at which they may be looked at again.
    let (mut digested, mut read) = (BTreeMap::new(), VecDeque::new());
    let mut steps = Vec::new();
    for (piece, file) in files.iter().enumerate() {
        while let Some((_, file)) = read.pop_front_if(|(from, _)| *from <= steps.len()) {
            steps.push(Step::After(file));
        }
        // What comes soon is digested now; where a digest must be waited for, the threads take the next files'.
        loop {
            let comes_soon = to_digest.front().is_some_and(|(first, _)| *first < piece + ahead);
            let is_near = file.and_then(|file| digested.get(&file)).is_some_and(|at| steps.len() < at + ahead);
            if !comes_soon && !is_near {
                break;
            }
            let next = to_digest.pop_front();
            digested.extend(next.map(|(_, file)| (file, steps.len())));
            steps.push(next.map_or(Step::Nothing, |(_, file)| Step::Before(file)));
        }
        read.extend(file.filter(|file| last.get(file) == Some(&piece)).map(|file| (steps.len() + ahead, file)));
        steps.push(Step::Piece(piece));
    }
    steps
}

/// A file whose digest waits until its rows are read.
pub struct LateFile {
    path: PathBuf,
    /// As it was found before it was opened: no digest, and when it was last written.
    opened: ReadFile,
    /// The same with its digest, taken before any row was read.
    digested: OnceLock<ReadFile>,
    /// What the look after the last row found, or a change that was seen earlier.
    stayed: OnceLock<std::result::Result<(), String>>,
    is_looked_at: AtomicBool,
    is_read_since: AtomicBool,
}

impl LateFile {
    pub fn new(path: PathBuf, opened: ReadFile) -> LateFile {
        let (digested, stayed) = (OnceLock::new(), OnceLock::new());
        let (is_looked_at, is_read_since) = (AtomicBool::new(false), AtomicBool::new(false));
        LateFile { path, opened, digested, stayed, is_looked_at, is_read_since }
    }

    /// The path as `bank.toml` sees it.
    pub fn shown(&self) -> &str {
        &self.opened.path
    }

    /// Takes the digest before rows are read. The footer was read earlier: what the digest has seen must hold it still.
    pub fn look_before(&self, has_same_footer: impl FnOnce() -> bool) -> Result<()> {
        let digested = files::digest(&self.path);
        let (bytes, digest) = digested.map_err(|error| match self.is_written_again() {
            true => Error::could_not_run(changed_fault(&self.opened, UNREADABLE)),
            false => error,
        })?;
        self.digested.get_or_init(|| ReadFile { bytes, digest, ..self.opened.clone() });
        if !has_same_footer() {
            self.stayed.get_or_init(|| Err("its footer is another now".into()));
        }
        Ok(())
    }

    /// Reads rows. Those that are read when the look after them has begun do not lie between two digests, as in a log
    /// that is out of order and looked back at: the file is looked at once more then, at the end.
    pub fn reading(&self, read: impl FnOnce() -> Result<()>) -> Result<()> {
        let file = self.digested.get().ok_or_else(|| Error::internal("a file was read before its digest was taken"))?;
        let outcome = read();
        if self.is_looked_at.load(Ordering::SeqCst) {
            self.is_read_since.store(true, Ordering::SeqCst);
        }
        match outcome {
            // It ends the run at once, where nobody else would tell of a change.
            Err(error @ Error::CouldNotRun(_)) => Err(match change(&self.path, file) {
                Some(change) => Error::could_not_run(changed_fault(file, &change)),
                None => error,
            }),
            outcome => outcome,
        }
    }

    /// Takes the digest after rows were read.
    pub fn look_after(&self) {
        self.is_looked_at.store(true, Ordering::SeqCst);
        if let Some(file) = self.digested.get() {
            self.stayed.get_or_init(|| change(&self.path, file).map_or(Ok(()), Err));
        }
    }

    /// The file, and whether it is known by now that it stayed the same.
    pub fn found(&self) -> ReadFile {
        let Some(digested) = self.digested.get() else {
            // The log was refused before its turn.
            let stayed = if self.is_written_again() { Err(WRITTEN_AGAIN.into()) } else { Ok(()) };
            return ReadFile { stayed: Some(stayed), ..self.opened.clone() };
        };
        let is_read_since = self.is_read_since.load(Ordering::SeqCst);
        let stayed = self.stayed.get().filter(|stayed| stayed.is_err() || !is_read_since).cloned();
        ReadFile { stayed, ..digested.clone() }
    }

    fn is_written_again(&self) -> bool {
        files::written_ns(&self.path) != self.opened.written_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[Option<usize>], ahead: usize) {
        let steps = steps(files, ahead);
        let shown = format!("{files:?} {ahead} ahead: {steps:?}");
        let places = |step: Step| (0..steps.len()).filter(|at| steps[*at] == step).collect::<Vec<_>>();
        let pieces: Vec<usize> = (0..files.len()).flat_map(|piece| places(Step::Piece(piece))).collect();
        assert!(pieces.len() == files.len() && pieces.is_sorted(), "each piece once, in order: {shown}");
        for file in files.iter().flatten() {
            let own = || pieces.iter().zip(files).filter(|(_, of)| **of == Some(*file)).map(|(at, _)| *at);
            let (first, last) = (own().min().unwrap(), own().max().unwrap());
            let (before, after) = (places(Step::Before(*file)), places(Step::After(*file)));
            assert!(before.len() == 1 && before[0] + ahead <= first, "file {file} before: {shown}");
            match after.as_slice() {
                [after] => assert!(last + ahead <= *after, "file {file} after: {shown}"),
                [] => assert!(steps.len() <= last + ahead, "file {file} has room for its look: {shown}"),
                _ => panic!("file {file} is looked at twice: {shown}"),
            }
        }
        let others = files.iter().flatten().collect::<std::collections::BTreeSet<_>>().len() * 2 + files.len();
        assert!(steps.len() <= others + ahead, "few steps are empty: {shown}");
    }

    #[test]
    fn digests_keep_their_distance_from_the_pieces_of_their_file() {
        let cut = |files: usize, pieces: usize| (0..files * pieces).map(|piece| Some(piece / pieces)).collect();
        let mixed = vec![None, Some(1), None, None, Some(0), Some(0), None, Some(2)];
        let twice = vec![Some(0), Some(1), Some(1), Some(0), Some(2), Some(2), Some(2), Some(2), Some(2), Some(2)];
        let shapes: [Vec<Option<usize>>; 9] =
            [vec![], vec![None; 5], cut(1, 1), cut(1, 20), cut(30, 1), cut(3, 16), cut(12, 2), mixed, twice];
        for files in shapes {
            for ahead in [1, 3, 4, 10, 66] {
                check(&files, ahead);
            }
        }
    }

    #[test]
    fn digests_stand_close_to_the_pieces_of_their_file() {
        use Step::{After, Before, Piece};
        let files = [0, 0, 0, 1, 1, 1, 2, 2, 2].map(Some);
        let wanted = [
            vec![Before(0), Before(1), Piece(0), Piece(1), Piece(2), Piece(3), After(0), Piece(4)],
            vec![Before(2), Piece(5), Piece(6), After(1), Piece(7), Piece(8)],
        ];
        assert_eq!(steps(&files, 2), wanted.concat());
    }
}
