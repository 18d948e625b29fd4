//! Why something moved: the five causes that there are, and a sixth for what cannot be told apart any more. A household
//! may have several at once.

use serde::{Serialize, Serializer};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Something became known, or was written otherwise.
    Input,
    /// A policy holds in another version, or says something else.
    Rule,
    /// Nothing became known; days went by.
    Time,
    /// A person's decision came into force, changed or ended.
    Decision,
    /// The run that was looked back at says something else.
    EarlierRun,
    /// Something became known or days went by; the files that would tell are not there any more.
    InputOrTime,
}

impl Cause {
    pub const ALL: [Cause; 6] =
        [Cause::Input, Cause::Rule, Cause::Time, Cause::Decision, Cause::EarlierRun, Cause::InputOrTime];

    pub fn name(self) -> &'static str {
        match self {
            Cause::Input => "input",
            Cause::Rule => "rule",
            Cause::Time => "time",
            Cause::Decision => "decision",
            Cause::EarlierRun => "earlier_run",
            Cause::InputOrTime => "input_or_time",
        }
    }
}

/// A set of causes, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Causes(u8);

impl Causes {
    pub fn has(self, cause: Cause) -> bool {
        self.0 & (1 << cause as u8) != 0
    }

    pub fn add(&mut self, cause: Cause) {
        self.0 |= 1 << cause as u8;
    }

    #[must_use]
    pub fn with(mut self, cause: Cause, applies: bool) -> Causes {
        if applies {
            self.add(cause);
        }
        self
    }

    #[must_use]
    pub fn and(self, other: Causes) -> Causes {
        Causes(self.0 | other.0)
    }

    /// Those that both have.
    #[must_use]
    pub fn within(self, other: Causes) -> Causes {
        Causes(self.0 & other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn is_alone(self) -> bool {
        self.0.count_ones() == 1
    }

    /// In the order of `Cause::ALL`.
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        Cause::ALL.into_iter().filter(move |&cause| self.has(cause))
    }
}

impl From<Cause> for Causes {
    fn from(cause: Cause) -> Causes {
        Causes::default().with(cause, true)
    }
}

impl Serialize for Causes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
