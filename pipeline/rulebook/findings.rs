//! What was found wrong in a rulebook, file by file and line by line, so that it is refused with everything at once.
//! Leaves what counts as wrong to the readers of the policies.

use crate::fault::{Collector, Fault, Result};
use std::cell::RefCell;

struct Finding {
    file: String,
    line: usize,
    fault: Fault,
}

/// Shared by all readers of a rulebook; a reader notes what is wrong and reads on.
#[derive(Default)]
pub(super) struct Findings(RefCell<Vec<Finding>>);

impl Findings {
    /// A fault of one line: the sentence is told after the file and the line.
    pub(super) fn at(&self, file: &str, line: usize, sentence: &str, hint: &str) {
        self.add(file, line, Fault::new(format!("`{file}` line {line}: {sentence}")).hint(hint));
    }

    pub(super) fn add(&self, file: &str, line: usize, fault: Fault) {
        self.0.borrow_mut().push(Finding { file: file.to_owned(), line, fault });
    }

    /// The refusal with every fault, in the order in which a reader goes through the files, each told once.
    pub(super) fn refuse(self) -> Result<()> {
        let mut findings = self.0.into_inner();
        findings.sort_by(|one, other| {
            (&one.file, one.line, &one.fault.message).cmp(&(&other.file, other.line, &other.fault.message))
        });
        findings.dedup_by(|one, other| one.fault == other.fault);
        let mut faults = Collector::default();
        for finding in findings {
            faults.add(finding.fault);
        }
        faults.refuse()
    }
}
