//! A fault of the program itself, in the words and with the exit code of every other: what panicked, and where, becomes
//! an error. What it was working on is not told, for it may be a household's.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::sync::Mutex;

use wellfield::fault::{Error, Result};

/// Where the first panic was, in whatever thread.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// From here on a panic prints nothing; `caught` tells of it.
pub fn install() {
    set_hook(Box::new(note));
}

fn note(panic: &PanicHookInfo) {
    // A panic over a damaged file is told as a fault of the file, by those who read it.
    if wellfield::read::is_guarded() {
        return;
    }
    if let (Some(place), Ok(mut noted)) = (panic.location(), PLACE.lock()) {
        noted.get_or_insert_with(|| format!("{}:{}", place.file(), place.line()));
    }
}

/// Runs a verb; a panic in it, or in a thread that it started, is an error.
pub fn caught<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let place = PLACE.lock().ok().and_then(|mut noted| noted.take());
        Err(Error::internal(format!("the program failed at {}", place.as_deref().unwrap_or("an unknown place"))))
    })
}
