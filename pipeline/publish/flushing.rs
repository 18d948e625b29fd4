//! A file on its way to the disk. What is written of it is sent there while more is made, so that nobody stands still for
//! all of it at the end.

use std::fs::File;
use std::io::{Error, Result};
use std::thread::JoinHandle;

/// Bytes that are worth a way to the disk of their own.
const WORTHWHILE: u64 = 16 << 20;

/// How much of a file was sent to the disk so far.
#[derive(Default)]
pub(super) struct Flushing {
    going: Option<JoinHandle<Result<()>>>,
    sent: u64,
}

impl Flushing {
    /// Sends what was written since the last time, where it is much and nothing else is on its way.
    pub fn written(&mut self, file: &File, bytes: u64) -> Result<()> {
        let is_free = self.going.as_ref().is_none_or(JoinHandle::is_finished);
        if !is_free || bytes < self.sent + WORTHWHILE {
            return Ok(());
        }
        self.arrive()?;
        let file = file.try_clone()?;
        // Where there is no thread to be had all of it is sent at the end.
        self.going = std::thread::Builder::new().spawn(move || file.sync_data()).ok();
        self.sent = bytes;
        Ok(())
    }

    /// Waits until all of a file has reached the disk.
    pub fn end(mut self, file: &File) -> Result<()> {
        self.arrive()?;
        file.sync_all()
    }

    fn arrive(&mut self) -> Result<()> {
        let arrived = self.going.take().map(JoinHandle::join);
        arrived
            .unwrap_or(Ok(Ok(())))
            .unwrap_or_else(|_| Err(Error::other("the thread that waits for the disk has ended")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_is_sent_while_more_is_written() {
        let (file, mut flushing) = (tempfile::tempfile().unwrap(), Flushing::default());
        flushing.written(&file, WORTHWHILE - 1).unwrap();
        assert!(flushing.going.is_none());
        flushing.written(&file, WORTHWHILE).unwrap();
        assert!(flushing.going.is_some() && flushing.sent == WORTHWHILE);
        flushing.end(&file).unwrap();
    }
}
