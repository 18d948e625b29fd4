//! Parquet files that are read once: the bytes that rows are decoded from are those that the digest is taken of.
//! A row group and what follows it is read by whichever thread has its turn, and goes into the digest of its file in its
//! order. So a digest says what a run was made from, also of a file that somebody writes to meanwhile.
//! Leaves files that are laid out otherwise to digests before and after they are read.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::num::NonZeroU64;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use rustix::fs::{Advice, fadvise};

use crate::fault::{Error, Result};

use super::parquet::ParquetFile;
use super::{ReadFile, UNREADABLE, WRITTEN_AGAIN, changed_fault, files};

/// Most bytes that are read at once. Row groups are mostly far smaller; a file of larger ones would not fit a small
/// machine's memory several at a time.
const STRETCH_MAX: u64 = 64 << 20;
/// Bytes at the end of a Parquet file that say how long the footer before them is.
const FOOTER_END: u64 = 8;

/// One file that is digested while its rows are read.
pub struct OnePass {
    path: PathBuf,
    /// As it was found when it was opened, without a digest.
    opened: ReadFile,
    /// By row group the bytes that are read with it: together the whole file.
    stretches: Vec<Range<u64>>,
    /// Whether the system need not keep what was read.
    is_in_passing: bool,
    /// The digest of the footer with which it was opened, and how long that is.
    footer: (u64, blake3::Hash),
    passed: Mutex<Passed>,
    /// What changed, once it was seen.
    change: OnceLock<&'static str>,
    is_read_again: AtomicBool,
}

/// The stretches that went into the digest so far.
struct Passed {
    hasher: blake3::Hasher,
    stretches: usize,
}

/// Bytes of a file that were read at once. To a reader they are the file, of which it asks for nothing else.
#[derive(Clone)]
pub struct Stretch {
    first: u64,
    bytes: Bytes,
    file_bytes: u64,
}

impl Stretch {
    fn part(&self, first: u64, bytes: Option<usize>) -> std::result::Result<Bytes, ParquetError> {
        let start = first.checked_sub(self.first).and_then(|start| usize::try_from(start).ok());
        let end = |start: usize| bytes.map_or(Some(self.bytes.len()), |bytes| start.checked_add(bytes));
        let part = start.and_then(|start| Some((start, end(start)?)));
        let part = part.filter(|&(start, end)| start <= end && end <= self.bytes.len());
        let part = part.map(|(start, end)| self.bytes.slice(start..end));
        part.ok_or_else(|| ParquetError::EOF(format!("byte {first} lies outside of its row group")))
    }
}

impl Length for Stretch {
    fn len(&self) -> u64 {
        self.file_bytes
    }
}

impl ChunkReader for Stretch {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> std::result::Result<Self::T, ParquetError> {
        Ok(bytes::Buf::reader(self.part(start, None)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> std::result::Result<Bytes, ParquetError> {
        self.part(start, Some(length))
    }
}

impl OnePass {
    /// A file that was opened; None where its row groups do not follow each other, or are too large to be read at once.
    /// `opened` tells when it was written before it was opened.
    pub fn of(path: &Path, opened: &ReadFile, parquet: &ParquetFile, is_in_passing: bool) -> Result<Option<OnePass>> {
        let io = |error| Error::io("read", path, &error);
        let file = File::open(path).map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        let Some(stretches) = stretches(&parquet.chunks(), bytes) else { return Ok(None) };
        if stretches.iter().any(|stretch| stretch.end - stretch.start > STRETCH_MAX) {
            return Ok(None);
        }
        let end = read(&file, bytes - FOOTER_END..bytes).map_err(io)?;
        let footer = end.first_chunk::<4>().map_or(0, |length| u64::from(u32::from_le_bytes(*length))) + FOOTER_END;
        let Some(start) = bytes.checked_sub(footer) else { return Ok(None) };
        let footer = (footer, blake3::hash(&read(&file, start..bytes).map_err(io)?));
        Ok(Some(OnePass {
            path: path.to_path_buf(),
            opened: ReadFile { bytes, ..opened.clone() },
            stretches,
            is_in_passing,
            footer,
            passed: Mutex::new(Passed { hasher: blake3::Hasher::new(), stretches: 0 }),
            change: OnceLock::new(),
            is_read_again: AtomicBool::new(false),
        }))
    }

    /// The bytes of a row group.
    pub fn read(&self, group: usize) -> Result<Stretch> {
        let range = self.stretches.get(group).cloned();
        let range = range.ok_or_else(|| Error::internal("a file has fewer row groups than were asked for"))?;
        let first = range.start;
        let bytes = self.bytes(range).map_err(|error| match self.seen() {
            Some(change) => Error::could_not_run(changed_fault(&self.opened, change)),
            None => Error::io("read", &self.path, &error),
        })?;
        Ok(Stretch { first, bytes: bytes.into(), file_bytes: self.opened.bytes })
    }

    fn bytes(&self, range: Range<u64>) -> std::io::Result<Vec<u8>> {
        let file = File::open(&self.path)?;
        let bytes = read(&file, range.clone())?;
        if self.is_in_passing {
            // An advice: where the system cannot take it, nothing is lost.
            let _ = fadvise(&file, range.start, NonZeroU64::new(range.end - range.start), Advice::DontNeed);
        }
        Ok(bytes)
    }

    /// The bytes of a row group once more. They may be others now: the whole file is looked at again at the end.
    pub fn read_again(&self, group: usize) -> Result<Stretch> {
        self.is_read_again.store(true, Ordering::SeqCst);
        self.read(group)
    }

    /// Takes what was read of the next row group into the digest.
    pub fn pass(&self, stretch: &Stretch) -> Result<()> {
        let mut passed = self.passed();
        if self.stretches.get(passed.stretches).is_none_or(|next| next.start != stretch.first) {
            return Err(Error::internal(format!("`{}` is not digested in its order", self.opened.path)));
        }
        passed.hasher.update(&stretch.bytes);
        passed.stretches += 1;
        if passed.stretches == self.stretches.len() {
            let (bytes, digest) = self.footer;
            let footer = usize::try_from(bytes).ok().and_then(|bytes| stretch.bytes.len().checked_sub(bytes));
            let footer = footer.and_then(|start| stretch.bytes.get(start..)).unwrap_or_default();
            if blake3::hash(footer) != digest {
                self.change.get_or_init(|| "its footer is another now");
            }
        }
        Ok(())
    }

    /// The file with its digest, and whether it stayed the same; without a digest where its table was refused before its end.
    pub fn found(&self) -> ReadFile {
        let (is_changed, passed) = (self.seen(), self.passed());
        let is_whole = passed.stretches == self.stretches.len();
        let digest = if is_whole { passed.hasher.finalize().to_hex().to_string() } else { String::new() };
        let stayed = match is_changed {
            Some(change) => Some(Err(change.into())),
            None if is_whole && self.is_read_again.load(Ordering::SeqCst) => None,
            None => Some(Ok(())),
        };
        ReadFile { digest, stayed, ..self.opened.clone() }
    }

    /// What changed since the file was opened, as far as it can be seen without reading it.
    fn seen(&self) -> Option<&'static str> {
        let change = || match std::fs::metadata(&self.path) {
            Err(_) => Some(UNREADABLE),
            Ok(_) if files::written_ns(&self.path) != self.opened.written_ns => Some(WRITTEN_AGAIN),
            Ok(about) if about.len() != self.opened.bytes => Some("its size is another now"),
            Ok(_) => None,
        };
        self.change.get().copied().or_else(change)
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(mut file: &File, range: Range<u64>) -> std::io::Result<Vec<u8>> {
    let bytes = usize::try_from(range.end - range.start).map_err(std::io::Error::other)?;
    let mut found = Vec::with_capacity(bytes);
    file.seek(SeekFrom::Start(range.start))?;
    file.take(bytes as u64).read_to_end(&mut found)?;
    if found.len() < bytes { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(found) }
}

/// A file of so many bytes cut where its row groups begin, of which the places of their columns are known; what lies
/// between them belongs to the one before. None where they are not laid out one after the other.
fn stretches(groups: &[Vec<Range<u64>>], file_bytes: u64) -> Option<Vec<Range<u64>>> {
    let extent = |columns: &Vec<Range<u64>>| {
        let start = columns.iter().map(|column| column.start).min()?;
        Some(start..columns.iter().map(|column| column.end).max()?)
    };
    let extents = groups.iter().map(extent).collect::<Option<Vec<_>>>()?;
    let ends = extents.iter().skip(1).map(|next| next.start).chain([file_bytes.checked_sub(FOOTER_END)?]);
    let do_follow = extents.iter().zip(ends).all(|(own, end)| own.start < own.end && own.end <= end);
    let starts = || extents.iter().map(|extent| extent.start).skip(1);
    let cuts = [0].into_iter().chain(starts()).zip(starts().chain([file_bytes]));
    (do_follow && !groups.is_empty()).then(|| cuts.map(|(start, end)| start..end).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::single_range_in_vec_init)]

    use super::*;

    #[test]
    fn a_file_is_cut_where_its_row_groups_begin() {
        let groups = [vec![4..10, 10..30], vec![35..40, 30..35], vec![45..60]];
        assert_eq!(stretches(&groups, 100), Some(vec![0..30, 30..45, 45..100]));
        assert_eq!(stretches(&groups[..1], 38), Some(vec![0..38]));
    }

    #[test]
    fn a_file_of_another_layout_is_not_cut() {
        let ends_in_the_footer = stretches(&[vec![4..10]], 17);
        let overlap = stretches(&[vec![4..10], vec![9..20]], 100);
        let turned_round = stretches(&[vec![40..50], vec![4..10]], 100);
        let without_columns = stretches(&[vec![4..10], vec![]], 100);
        let without_bytes = stretches(&[vec![4..4]], 100);
        let without_groups = stretches(&[], 100);
        let too_short = stretches(&[vec![4..5]], 6);
        let found =
            [ends_in_the_footer, overlap, turned_round, without_columns, without_bytes, without_groups, too_short];
        assert_eq!(found, [const { None }; 7]);
    }

    #[test]
    fn a_reader_finds_what_lies_in_a_stretch_and_nothing_else() {
        let stretch = Stretch { first: 10, bytes: Bytes::from_static(b"abcdef"), file_bytes: 100 };
        assert_eq!(stretch.len(), 100);
        assert_eq!(stretch.get_bytes(12, 3).unwrap(), "cde");
        assert_eq!(stretch.get_bytes(10, 6).unwrap(), "abcdef");
        let mut rest = String::new();
        stretch.get_read(14).unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "ef");
        for (start, length) in [(9, 1), (10, 7), (16, 1), (17, 0), (u64::MAX, 1), (12, usize::MAX)] {
            assert!(stretch.get_bytes(start, length).is_err(), "{length} bytes from {start}");
        }
        assert!(stretch.get_read(17).is_err());
    }
}
