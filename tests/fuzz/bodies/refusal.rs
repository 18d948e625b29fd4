//! What every refusal must be: the user's fault or the system's, never the program's own, told in sentences of which
//! each says where to look.

use wellfield::fault::Error;

/// Words with which the program owns up to a fault of its own; no bytes of a file may bring it there.
const OWN_FAULT: &str = "this is a fault of the program";

/// `places`: each fault names one of them.
pub fn check(error: &Error, places: &[&str]) {
    assert!(matches!(error.exit_code(), 1 | 3), "exit code {}: {error}", error.exit_code());
    assert!(!error.faults().is_empty(), "refused without a reason");
    for fault in error.faults() {
        let report = fault.report();
        assert!(!report.contains(OWN_FAULT), "{report}");
        assert!(places.iter().any(|place| fault.message.contains(place)), "names none of {places:?}: {report}");
    }
}
