//! What a run cannot hold in memory lies in a file of its own meanwhile. The file has no name: nobody else sees it, and
//! it is gone when the run ends, however it ends. It lies in the system's folder for such files, `TMPDIR`.

use std::borrow::Cow;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use crate::fault::{Error, Fault, Result};

/// Where packed rows are kept: in memory, or in a nameless file, or the first of them there and the others here.
#[derive(Debug, Default)]
pub struct Spill {
    file: Option<File>,
    end: u64,
    /// Bytes for which there is room in memory yet, where there is a file.
    room: u64,
}

/// Some bytes that are kept.
#[derive(Debug)]
pub enum Kept {
    Held(Box<[u8]>),
    SetDown { from: u64, bytes: usize },
}

impl Kept {
    fn len(&self) -> usize {
        match self {
            Kept::Held(bytes) => bytes.len(),
            Kept::SetDown { bytes, .. } => *bytes,
        }
    }
}

impl Spill {
    /// Keeps everything in memory.
    pub fn in_memory() -> Spill {
        Spill::default()
    }

    /// Sets everything down in a file.
    pub fn in_a_file() -> Result<Spill> {
        Spill::beyond(0)
    }

    /// Keeps so many bytes in memory, and sets down in a file what comes after them.
    pub fn beyond(room: u64) -> Result<Spill> {
        let file = tempfile::tempfile().map_err(|error| failed("create", &error))?;
        Ok(Spill { file: Some(file), end: 0, room })
    }

    pub fn keep(&mut self, bytes: Box<[u8]>) -> Result<Kept> {
        let Some(file) = &self.file else { return Ok(Kept::Held(bytes)) };
        if let Some(room) = self.room.checked_sub(bytes.len() as u64) {
            self.room = room;
            return Ok(Kept::Held(bytes));
        }
        file.write_all_at(&bytes, self.end).map_err(|error| failed("write", &error))?;
        let kept = Kept::SetDown { from: self.end, bytes: bytes.len() };
        self.end += bytes.len() as u64;
        Ok(kept)
    }

    /// What was kept.
    pub fn find<'a>(&self, kept: &'a Kept) -> Result<Cow<'a, [u8]>> {
        self.find_part(kept, 0..kept.len())
    }

    /// Some bytes of what was kept.
    pub fn find_part<'a>(&self, kept: &'a Kept, part: Range<usize>) -> Result<Cow<'a, [u8]>> {
        let lost = || Error::internal("rows were set down, and others are looked for");
        match (kept, &self.file) {
            (Kept::Held(bytes), _) => bytes.get(part).map(Cow::Borrowed).ok_or_else(lost),
            (&Kept::SetDown { from, bytes }, Some(file)) if part.start <= part.end && part.end <= bytes => {
                let mut found = vec![0; part.len()];
                file.read_exact_at(&mut found, from + part.start as u64).map_err(|error| failed("read", &error))?;
                Ok(Cow::Owned(found))
            }
            (Kept::SetDown { .. }, _) => Err(lost()),
        }
    }
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    let fault = Fault::new(format!("could not {what} the run's temporary file")).caused_by(error);
    Error::could_not_run(
        fault.hint("it lies in the folder that `TMPDIR` names, or `/tmp`; see whether its disk is full"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_found_again() {
        for (mut spill, held) in [
            (Spill::in_memory(), [true; 3]),
            (Spill::in_a_file().unwrap(), [false, true, false]),
            (Spill::beyond(4).unwrap(), [true, true, false]),
        ] {
            let mut keep = |bytes: &[u8]| spill.keep(bytes.into()).unwrap();
            let (one, none, other) = (keep(b"one"), keep(b""), keep(b"other"));
            assert_eq!([&one, &none, &other].map(|kept| matches!(kept, Kept::Held(_))), held);
            let found = |kept: &Kept| spill.find(kept).unwrap().into_owned();
            assert_eq!([found(&other), found(&one), found(&none)], [b"other".to_vec(), b"one".to_vec(), Vec::new()]);
            let part = |kept: &Kept, part: Range<usize>| spill.find_part(kept, part).map(Cow::into_owned);
            assert_eq!(part(&other, 1..4).unwrap(), b"the");
            assert_eq!(part(&one, 3..3).unwrap(), b"");
            assert!(part(&one, 0..4).is_err() && part(&none, 1..1).is_err());
        }
    }
}
