//! What becomes of memory that one stage of a night has used and the next one may.

use std::ffi::c_int;

use libmimalloc_sys::{mi_collect, mi_option_set, mi_option_use_numa_nodes};

/// How many times its bank's files a night's memory must hold for there to be plenty. At its peak a night takes about one
/// and a half times as much as they do, where it gives nothing back.
const PLENTY: u64 = 4;

/// The allocator's option after how many milliseconds it gives memory back to the system. The binding has no name for it;
/// it stands before this one.
const PURGE_DELAY: c_int = mi_option_use_numa_nodes - 1;
const NEVER: i64 = -1;
/// As the allocator does by itself.
const SOON: i64 = 1_000;
/// Longer than most of what a stage lets go of waits until it is asked for again.
const LATER: i64 = 10_000;

/// How a night keeps memory that was let go of.
#[derive(Debug)]
pub struct Kept {
    is_plenty: bool,
}

/// Keeps memory that was let go of: given back, a page of it is cleared by the system when it is asked for again, which
/// took a night a fifteenth of its time. Where there is not plenty of it a stage keeps what it has let go of for the most
/// part, and when it has ended that is given back (`give_back`). To be asked before other threads are started.
pub fn keep(files_bytes: u64, memory_bytes: Option<u64>) -> Kept {
    let is_plenty = memory_bytes.is_some_and(|memory| files_bytes.saturating_mul(PLENTY) <= memory);
    set(PURGE_DELAY, if is_plenty { NEVER } else { LATER });
    Kept { is_plenty }
}

/// Gives back what was let go of so far, where there is not plenty.
#[allow(unsafe_code)]
pub fn give_back() {
    // SAFETY: it may be asked by any thread at any time.
    unsafe { mi_collect(true) }
}

impl Kept {
    /// Gives back what was let go of so far, and from here on soon, where there is not plenty: before what needs the most
    /// memory of all. To be asked while no other thread has work.
    pub fn no_longer(self) {
        if !self.is_plenty {
            set(PURGE_DELAY, SOON);
            give_back();
        }
    }
}

/// Whether a bank's files take more than half of a machine's memory, so that it cannot keep them beside a night.
pub fn is_filled_by(files_bytes: u64, memory_bytes: Option<u64>) -> bool {
    memory_bytes.is_some_and(|memory| files_bytes > memory / 2)
}

#[allow(unsafe_code)]
fn set(option: c_int, value: i64) {
    // SAFETY: an option is a number in a list of the allocator's, which checks its place; no other thread asks the allocator
    // for anything meanwhile.
    unsafe { mi_option_set(option, value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(unsafe_code)]
    fn the_option_is_the_one_that_is_meant() {
        // SAFETY: it reads a number. No other test of the program sets one.
        let milliseconds = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(milliseconds, SOON, "another version of the allocator has its options in another order");
    }
}
