//! Two runs of one bank beside each other: which households moved, by how much and why, and how coverage and indicators
//! went. A run that was computed and not published is compared in the same way, so that a policy can be tried before
//! anybody signs it. The form for machines is `Comparison` itself, the form for people is made of it in `text`.
//! Leaves finding and opening runs to `read`, and computing a night to `night`.

mod between;
mod causes;
mod coverage;
mod grading;
mod household;
mod indicators;
mod limits;
mod meanwhile;
mod origins;
mod paths;
mod side;
mod tally;
mod text;
mod words;

use serde::Serialize;

use crate::contract::Contracts;
use crate::definitions::Texts;
use crate::fault::{Error, Fault, Result};
use crate::grade::Ranks;
use crate::rulebook::Rulebook;

use self::coverage::CoverageMoves;
use self::household::{Judge, Moved};
use self::indicators::IndicatorMoves;
use self::origins::Possible;
use self::paths::{Evidence, Pair};
use self::tally::{Households, Tally};

pub use self::between::{between, policy_files, remarks};
pub use self::causes::{Cause, Causes};
pub use self::meanwhile::Meanwhile;
pub use self::origins::{Differences, inputs};
pub use self::side::Side;
pub use self::text::{NAMED, in_words};

/// What moved from one run to another; amounts and points are decimals as text, dates are `YYYY-MM-DD`.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    pub bank: String,
    pub from: RunHead,
    pub to: RunHead,
    pub differences: Differences,
    pub households: Households,
    pub coverage: CoverageMoves,
    pub indicators: IndicatorMoves,
    /// Households that moved, in the byte order of household_id.
    pub moved: Vec<Moved>,
    pub new_households: Vec<String>,
    pub gone_households: Vec<String>,
    /// What could not be told, and why.
    pub remarks: Vec<Texts>,
}

/// One of the two runs.
#[derive(Clone, Debug, Serialize)]
pub struct RunHead {
    pub as_of: String,
    /// None: computed and not published.
    pub run_id: Option<String>,
}

/// The rules that causes are worked out by.
pub struct Rules<'a> {
    pub rulebook: &'a Rulebook,
    /// Policy files whose text differs, where both rulebooks are at hand.
    pub policy_files: Option<Vec<String>>,
}

/// How many households that moved are kept to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    All,
    /// The first of each kind.
    First(usize),
}

/// Refuses to compare what is not of one bank.
pub fn check_banks(from: &Side, to: &Side) -> Result<()> {
    let (one, other) = (&from.description.bank, &to.description.bank);
    if one == other {
        return Ok(());
    }
    let fault = Fault::new(format!("the runs are of two banks, `{one}` and `{other}`"));
    Err(Error::wrong_usage(fault.hint("name two runs of one bank")))
}

/// Lays two runs of a bank beside each other. `meanwhile` is what lies between them, where it could be computed.
pub fn compare(
    from: &Side,
    to: &Side,
    rules: Rules,
    meanwhile: Option<Meanwhile>,
    named: Named,
    remarks: Vec<Texts>,
    contracts: &Contracts,
) -> Result<Comparison> {
    check_banks(from, to)?;
    let (old, new) = (&from.description, &to.description);
    let mut differences = Differences::of(old, new);
    differences.policy_files = rules.policy_files;
    let possible = Possible::of(old, new, &differences, contracts)?;
    let evidence = Evidence {
        from,
        to,
        possible: &possible,
        rulebook: rules.rulebook,
        is_rulebook_exact: rules.rulebook.digest == new.made_from.rulebook_digest,
        meanwhile: None,
    };
    let ranks = Ranks::of(&rules.rulebook.scale);
    let mut tally = Tally::new(named);
    walk(evidence, ranks, meanwhile, &mut tally)?;
    let head = |side: &Side| RunHead { as_of: side.description.as_of.to_string(), run_id: side.run_id.clone() };
    let tallied = tally.finish(&Ranks::of(&rules.rulebook.scale));
    Ok(Comparison {
        bank: new.bank.clone(),
        from: head(from),
        to: head(to),
        differences,
        households: tallied.households,
        coverage: coverage::moves(&from.coverage, &to.coverage)?,
        indicators: indicators::moves(&from.indicators, &to.indicators, &rules.rulebook.indicators)?,
        moved: tallied.moved,
        new_households: tallied.new,
        gone_households: tallied.gone,
        remarks,
    })
}

/// One walk over the households of both runs, which are in the same order.
fn walk(evidence: Evidence, ranks: Ranks, meanwhile: Option<Meanwhile>, tally: &mut Tally) -> Result<()> {
    let (old, new) = (&evidence.from.households, &evidence.to.households);
    let mut cursors = meanwhile.as_ref().map(|meanwhile| (meanwhile.before.cursor(), meanwhile.after.cursor()));
    let judge = Judge { evidence: Evidence { meanwhile: meanwhile.as_ref(), ..evidence }, ranks };
    let (mut from, mut to) = (0, 0);
    while from < old.len() || to < new.len() {
        let is_gone = to >= new.len() || (from < old.len() && old.ids.value(from) < new.ids.value(to));
        let is_new = from >= old.len() || (to < new.len() && new.ids.value(to) < old.ids.value(from));
        if is_gone {
            tally.gone(old, from);
            from += 1;
        } else if is_new {
            tally.new_household(new, to);
            to += 1;
        } else {
            let id = new.ids.value(to);
            let (before, after) = match &mut cursors {
                Some((before, after)) => (before.advance(id), after.advance(id)),
                None => (None, None),
            };
            let moved = judge.judge(Pair { from, to, before, after })?;
            tally.both(&judge, (old, from), (new, to), moved);
            (from, to) = (from + 1, to + 1);
        }
    }
    Ok(())
}

impl Comparison {
    /// Whether the runs say the same of every household.
    pub fn is_still(&self) -> bool {
        let households = &self.households;
        households.moved == 0 && households.new == 0 && households.gone == 0
    }
}
