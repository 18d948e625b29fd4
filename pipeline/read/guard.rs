//! A damaged file can make a reader library stop with a panic instead of an error, and a full disk one that writes. Here
//! such a stop becomes an error of the file; the one who prints panics asks `is_guarded` and stays silent about it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether a panic of this thread will be told as a fault of the file that is being read or written.
pub fn is_guarded() -> bool {
    DEPTH.get() > 0
}

/// Runs what may stop like that; its panic is given back as text. What it was working on is dropped with it.
pub fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    DEPTH.set(DEPTH.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(run));
    DEPTH.set(DEPTH.get() - 1);
    outcome.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        text.unwrap_or("it stopped").to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_the_guard_ends() {
        let seen = guarded(|| {
            assert!(is_guarded());
            7
        });
        assert_eq!(seen, Ok(7));
        assert_eq!(guarded(|| panic!("index {} is out of range", 3)), Err::<(), _>("index 3 is out of range".into()));
        assert!(!is_guarded());
    }
}
