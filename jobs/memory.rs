//! What becomes of memory that one stage of a night has used and the next one may.

use std::ffi::c_int;

use libmimalloc_sys::{mi_option_set, mi_option_use_numa_nodes};

/// How many times its bank's files a night's memory must hold for there to be plenty. At its peak a night takes about one
/// and a half times as much as they do, where it gives nothing back.
const PLENTY: u64 = 4;

/// The allocator's option after how many milliseconds it gives memory back to the system. The binding has no name for it;
/// it stands before this one.
const PURGE_DELAY: c_int = mi_option_use_numa_nodes - 1;
const NEVER: i64 = -1;

/// Keeps memory that was let go of, where there is plenty: given back, a page of it is cleared by the system when it is
/// asked for again, which took a night a fifteenth of its time. Elsewhere the allocator gives it back after a second, as
/// it does by itself. To be asked before other threads are started.
pub fn keep(files_bytes: u64, memory_bytes: Option<u64>) {
    if memory_bytes.is_some_and(|memory| files_bytes.saturating_mul(PLENTY) <= memory) {
        set(PURGE_DELAY, NEVER);
    }
}

#[allow(unsafe_code)]
fn set(option: c_int, value: i64) {
    // SAFETY: an option is a number in a list of the allocator's, which checks its place; no other thread reads it yet.
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
        assert_eq!(milliseconds, 1000, "another version of the allocator has its options in another order");
    }
}
