//! What must hold of every bank, tried on random small ones: counts add up, a household counts once and where it stands,
//! a visit never does harm, the order of rows means nothing. The seed is fixed, so every run tries the same banks; each
//! property also says what it must have met on the way, so that none holds for want of cases.

mod book;
mod draw;
mod ledgers;
mod moves;
mod night;
mod officers;
mod order;
mod plan;
mod sums;
mod visits;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};
use wellfield::coverage::counts::Count;

use draw::Draw;
use plan::Plan;

const CASES: u32 = 48;
const SEED: u64 = 20_260_630;
/// Smaller banks that are tried when one fails.
const SHRINK_ITERATIONS_MAX: u32 = 400;

/// What a property met, and how often.
#[derive(Default)]
struct Met(RefCell<BTreeMap<&'static str, u32>>);

impl Met {
    fn note(&self, what: &'static str, holds: bool) {
        *self.0.borrow_mut().entry(what).or_default() += u32::from(holds);
    }

    fn demand_all(&self) {
        let met = self.0.borrow();
        assert!(met.values().all(|&times| times > 0), "no random bank had some of these: {met:?}");
    }
}

/// Tries a property on random banks; what it does to them it draws.
fn hold(property: impl Fn(&Plan, &mut Draw, &Met) -> TestCaseResult) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: SHRINK_ITERATIONS_MAX,
        rng_seed: RngSeed::Fixed(SEED),
        ..Config::default()
    };
    let met = Met::default();
    let strategy = (plan::plans(), any::<u64>().no_shrink());
    let outcome = TestRunner::new(config).run(&strategy, |(plan, seed)| property(&plan, &mut Draw::new(seed), &met));
    if let Err(error) = outcome {
        panic!("{error}");
    }
    met.demand_all();
}

/// The counts of households, which belong to a household wherever it stands; what is required depends on the grid.
fn household_counts() -> impl Iterator<Item = &'static str> {
    Count::ALL.into_iter().filter(|&count| count != Count::ProfilesRequired).map(Count::name)
}

/// What follows from the size of a grid and not from its households alone.
const TARGETS: [&str; 2] = ["profiles_required", "profile_gap"];
