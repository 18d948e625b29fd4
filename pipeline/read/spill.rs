//! What a run cannot hold in memory lies in a file of its own meanwhile. The file has no name: nobody else sees it, and
//! it is gone when the run ends, however it ends. It lies in the system's folder for such files, `TMPDIR`.

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use crate::fault::{Error, Fault, Result};

/// Where packed rows are kept: in memory, or in a nameless file.
#[derive(Debug, Default)]
pub struct Spill {
    file: Option<File>,
    end: u64,
}

/// Some bytes that are kept.
#[derive(Debug)]
pub enum Kept {
    Held(Box<[u8]>),
    SetDown { from: u64, bytes: usize },
}

impl Spill {
    /// Keeps everything in memory.
    pub fn in_memory() -> Spill {
        Spill::default()
    }

    /// Sets everything down in a file.
    pub fn in_a_file() -> Result<Spill> {
        let file = tempfile::tempfile().map_err(|error| failed("create", &error))?;
        Ok(Spill { file: Some(file), end: 0 })
    }

    pub fn keep(&mut self, bytes: Box<[u8]>) -> Result<Kept> {
        let Some(file) = &self.file else { return Ok(Kept::Held(bytes)) };
        file.write_all_at(&bytes, self.end).map_err(|error| failed("write", &error))?;
        let kept = Kept::SetDown { from: self.end, bytes: bytes.len() };
        self.end += bytes.len() as u64;
        Ok(kept)
    }

    /// What was kept.
    pub fn find<'a>(&self, kept: &'a Kept) -> Result<Cow<'a, [u8]>> {
        self.find_first(kept, usize::MAX)
    }

    /// The first bytes of what was kept, at most so many.
    pub fn find_first<'a>(&self, kept: &'a Kept, most: usize) -> Result<Cow<'a, [u8]>> {
        match (kept, &self.file) {
            (Kept::Held(bytes), _) => Ok(Cow::Borrowed(bytes.get(..most).unwrap_or(bytes))),
            (&Kept::SetDown { from, bytes }, Some(file)) => {
                let mut found = vec![0; bytes.min(most)];
                file.read_exact_at(&mut found, from).map_err(|error| failed("read", &error))?;
                Ok(Cow::Owned(found))
            }
            (Kept::SetDown { .. }, None) => Err(Error::internal("rows were set down in another file")),
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
        for mut spill in [Spill::in_memory(), Spill::in_a_file().unwrap()] {
            let mut keep = |bytes: &[u8]| spill.keep(bytes.into()).unwrap();
            let (one, none, other) = (keep(b"one"), keep(b""), keep(b"other"));
            let found = |kept: &Kept| spill.find(kept).unwrap().into_owned();
            assert_eq!([found(&other), found(&one), found(&none)], [b"other".to_vec(), b"one".to_vec(), Vec::new()]);
        }
    }
}
