//! What a run cannot hold in memory lies in a file of its own meanwhile. The file has no name: nobody else sees it, and
//! it is gone when the run ends, however it ends. It lies in the system's folder for such files, `TMPDIR`.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use arrow::buffer::{Buffer, MutableBuffer};

use crate::fault::{Error, Fault, Result};

/// A nameless file.
#[derive(Debug)]
pub struct Spill {
    file: File,
    end: u64,
}

/// Where some bytes lie in it.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    from: u64,
    bytes: usize,
}

impl Spill {
    pub fn begin() -> Result<Spill> {
        let file = tempfile::tempfile().map_err(|error| failed("create", &error))?;
        Ok(Spill { file, end: 0 })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<Stretch> {
        self.file.write_all_at(bytes, self.end).map_err(|error| failed("write", &error))?;
        let stretch = Stretch { from: self.end, bytes: bytes.len() };
        self.end += bytes.len() as u64;
        Ok(stretch)
    }

    /// The bytes of a stretch, in memory that columns of any type can use.
    pub fn read(&self, stretch: Stretch) -> Result<Buffer> {
        let mut bytes = MutableBuffer::from_len_zeroed(stretch.bytes);
        self.file.read_exact_at(bytes.as_slice_mut(), stretch.from).map_err(|error| failed("read", &error))?;
        Ok(bytes.into())
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
    fn what_was_set_down_is_found_again() {
        let mut spill = Spill::begin().unwrap();
        let (one, none, other) =
            (spill.write(b"one").unwrap(), spill.write(b"").unwrap(), spill.write(b"other").unwrap());
        assert_eq!(spill.read(other).unwrap().as_slice(), b"other");
        assert_eq!(spill.read(one).unwrap().as_slice(), b"one");
        assert_eq!(spill.read(none).unwrap().as_slice(), b"");
    }
}
