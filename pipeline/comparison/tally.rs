//! What is counted over all households: how many are in both runs, how grades, limits and lists moved, and how many
//! moved by each cause, element, input table and policy. Keeps the households that are to be named.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::explanation::{Amount, Points};
use crate::grade::{Rank, Ranks};

use super::Named;
use super::causes::Cause;
use super::household::{Judge, Kind, Moved, What};
use super::origins::Step;
use super::side::{self, text, whole};

#[derive(Clone, Debug, Default, Serialize)]
pub struct Households {
    pub both: u64,
    pub new: u64,
    pub gone: u64,
    /// Of those in both, with another grade, limit or list.
    pub moved: u64,
    /// In the order of the scale: its grades, the veto grade, NR.
    pub grades: Vec<String>,
    pub final_grade: GradeMoves,
    pub model_grade: GradeMoves,
    pub final_limit: LimitMoves,
    pub suggested_limit: LimitMoves,
    pub credit_list: Vec<Flow>,
    /// Households that moved with each cause; one with several is counted with each.
    pub causes: Vec<CauseCount>,
    pub elements: Vec<ElementCount>,
    pub input_tables: Vec<NameCount>,
    pub policies: Vec<NameCount>,
}

/// Grades of households in both runs; up, down and what concerns NR are all that moved.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GradeMoves {
    pub up: u64,
    pub down: u64,
    pub became_rateable: u64,
    pub no_longer_rateable: u64,
    /// In the order of the scale.
    pub moves: Vec<Flow>,
}

/// So many households from one word to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    pub from: String,
    pub to: String,
    pub households: u64,
}

/// Limits of households in both runs, and of those that came and went.
#[derive(Clone, Debug, Serialize)]
pub struct LimitMoves {
    pub raised: u64,
    pub raised_by: Amount,
    pub lowered: u64,
    pub lowered_by: Amount,
    /// Limits of new households, and of households that are gone.
    pub of_new: Amount,
    pub of_gone: Amount,
    /// All limits of a run together.
    pub total: Step<Amount>,
}

impl Default for LimitMoves {
    fn default() -> LimitMoves {
        let (none, total) = (Amount(0), Step { from: Amount(0), to: Amount(0) });
        LimitMoves { raised: 0, raised_by: none, lowered: 0, lowered_by: none, of_new: none, of_gone: none, total }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct CauseCount {
    pub cause: Cause,
    pub households: u64,
    /// Of these, those that moved by nothing else.
    pub alone: u64,
}

/// Households that moved by one element.
#[derive(Clone, Debug, Serialize)]
pub struct ElementCount {
    pub what: What,
    pub name: String,
    pub households: u64,
    /// The points of a characteristic, gained and lost, over these households.
    pub net_points: Option<Points>,
}

#[derive(Clone, Debug, Serialize)]
pub struct NameCount {
    pub name: String,
    pub households: u64,
}

/// The sums so far.
pub struct Tally {
    named: Named,
    households: Households,
    model_grades: BTreeMap<(String, String), u64>,
    final_grades: BTreeMap<(String, String), u64>,
    lists: BTreeMap<(String, String), u64>,
    causes: BTreeMap<Cause, (u64, u64)>,
    elements: BTreeMap<(What, String), (u64, Option<i64>)>,
    tables: BTreeMap<String, u64>,
    policies: BTreeMap<String, u64>,
    kept: BTreeMap<Kind, usize>,
    moved: Vec<Moved>,
    new: Vec<String>,
    gone: Vec<String>,
}

pub struct Tallied {
    pub households: Households,
    pub moved: Vec<Moved>,
    pub new: Vec<String>,
    pub gone: Vec<String>,
}

impl Tally {
    pub fn new(named: Named) -> Tally {
        Tally {
            named,
            households: Households::default(),
            model_grades: BTreeMap::new(),
            final_grades: BTreeMap::new(),
            lists: BTreeMap::new(),
            causes: BTreeMap::new(),
            elements: BTreeMap::new(),
            tables: BTreeMap::new(),
            policies: BTreeMap::new(),
            kept: BTreeMap::new(),
            moved: Vec::new(),
            new: Vec::new(),
            gone: Vec::new(),
        }
    }

    fn has_room(&self, kept: usize) -> bool {
        match self.named {
            Named::All => true,
            Named::First(count) => kept < count,
        }
    }

    pub fn new_household(&mut self, households: &side::Households, row: usize) {
        self.households.new += 1;
        for (moves, limits) in self.limits().into_iter().zip([&households.final_limits, &households.suggested]) {
            let limit = i128::from(whole(limits, row).unwrap_or(0));
            moves.of_new.0 += limit;
            moves.total.to.0 += limit;
        }
        if self.has_room(self.new.len()) {
            self.new.push(households.ids.value(row).to_string());
        }
    }

    pub fn gone(&mut self, households: &side::Households, row: usize) {
        self.households.gone += 1;
        for (moves, limits) in self.limits().into_iter().zip([&households.final_limits, &households.suggested]) {
            let limit = i128::from(whole(limits, row).unwrap_or(0));
            moves.of_gone.0 += limit;
            moves.total.from.0 += limit;
        }
        if self.has_room(self.gone.len()) {
            self.gone.push(households.ids.value(row).to_string());
        }
    }

    fn limits(&mut self) -> [&mut LimitMoves; 2] {
        [&mut self.households.final_limit, &mut self.households.suggested_limit]
    }

    /// A household of both runs.
    pub fn both(
        &mut self,
        judge: &Judge,
        (old, from): (&side::Households, usize),
        (new, to): (&side::Households, usize),
        moved: Option<Moved>,
    ) {
        self.households.both += 1;
        let columns = [(&old.final_limits, &new.final_limits), (&old.suggested, &new.suggested)];
        for (moves, (before, after)) in self.limits().into_iter().zip(columns) {
            moves.add(whole(before, from).unwrap_or(0).into(), whole(after, to).unwrap_or(0).into());
        }
        let flow = |before, after| {
            let word = |text: Option<&str>| text.unwrap_or("").to_string();
            (word(text(before, from)), word(text(after, to)))
        };
        *self.lists.entry(flow(&old.lists, &new.lists)).or_default() += 1;
        let grades = [
            (&mut self.model_grades, flow(&old.model_grades, &new.model_grades)),
            (&mut self.final_grades, flow(&old.final_grades, &new.final_grades)),
        ];
        for (counts, flow) in grades {
            *counts.entry(flow).or_default() += 1;
        }
        if let Some(moved) = moved {
            self.count(judge, moved);
        }
    }

    fn count(&mut self, judge: &Judge, moved: Moved) {
        self.households.moved += 1;
        for (moves, grade) in [
            (&mut self.households.model_grade, &moved.model_grade),
            (&mut self.households.final_grade, &moved.final_grade),
        ] {
            match grade.as_ref().map(|grade| judge.direction(grade)) {
                Some(Kind::Up) => moves.up += 1,
                Some(Kind::Down) => moves.down += 1,
                Some(Kind::BecameRateable) => moves.became_rateable += 1,
                Some(Kind::NoLongerRateable) => moves.no_longer_rateable += 1,
                _ => {}
            }
        }
        for cause in moved.causes.iter() {
            let (households, alone) = self.causes.entry(cause).or_default();
            *households += 1;
            *alone += u64::from(moved.causes.is_alone());
        }
        let (mut tables, mut policies) = (BTreeSet::new(), BTreeSet::new());
        for element in &moved.elements {
            let (households, net) = self.elements.entry((element.what, element.name.clone())).or_default();
            *households += 1;
            if let Some(points) = &element.points {
                *net = Some(net.unwrap_or(0) + points.to.0 - points.from.0);
            }
            tables.extend(&element.tables);
            policies.extend(&element.policy);
        }
        for (names, counts) in [(tables, &mut self.tables), (policies, &mut self.policies)] {
            names.into_iter().for_each(|name| *counts.entry(name.clone()).or_default() += 1);
        }
        self.keep(moved);
    }

    /// Keeps a household as long as one of its kinds has not been named often enough.
    fn keep(&mut self, moved: Moved) {
        let kept = |kind: &Kind| self.kept.get(kind).copied().unwrap_or(0);
        if moved.kinds.iter().any(|kind| self.has_room(kept(kind))) {
            moved.kinds.iter().for_each(|&kind| *self.kept.entry(kind).or_default() += 1);
            self.moved.push(moved);
        }
    }

    pub fn finish(mut self, ranks: &Ranks) -> Tallied {
        let households = &mut self.households;
        households.grades = ranks.names().to_vec();
        households.model_grade.moves = flows(self.model_grades, |grade| place(ranks, grade));
        households.final_grade.moves = flows(self.final_grades, |grade| place(ranks, grade));
        let of_list = |list: &str| ["white", "grey", "black"].iter().position(|known| *known == list).unwrap_or(3);
        households.credit_list = flows(self.lists, of_list);
        let causes = self.causes.into_iter();
        households.causes =
            causes.map(|(cause, (households, alone))| CauseCount { cause, households, alone }).collect();
        let elements = self.elements.into_iter().map(|((what, name), (households, net))| ElementCount {
            what,
            name,
            households,
            net_points: net.map(Points),
        });
        households.elements = elements.collect();
        households.elements.sort_by_key(|element| std::cmp::Reverse(element.households));
        households.input_tables = by_count(self.tables);
        households.policies = by_count(self.policies);
        Tallied { households: self.households, moved: self.moved, new: self.new, gone: self.gone }
    }
}

/// Grades that the scale does not have stand behind the others.
fn place(ranks: &Ranks, grade: &str) -> (bool, Option<Rank>) {
    let rank = ranks.find(grade);
    (rank.is_none(), rank)
}

/// What moved, in the order of the words; households that stayed are not listed.
fn flows<T: Ord>(counts: BTreeMap<(String, String), u64>, place: impl Fn(&str) -> T) -> Vec<Flow> {
    let moved = counts.into_iter().filter(|((from, to), _)| from != to);
    let mut flows: Vec<Flow> = moved.map(|((from, to), households)| Flow { from, to, households }).collect();
    flows.sort_by_key(|flow| (place(&flow.from), place(&flow.to)));
    flows
}

/// The most frequent first.
fn by_count(counts: BTreeMap<String, u64>) -> Vec<NameCount> {
    let mut named: Vec<NameCount> =
        counts.into_iter().map(|(name, households)| NameCount { name, households }).collect();
    named.sort_by_key(|count| std::cmp::Reverse(count.households));
    named
}

impl LimitMoves {
    fn add(&mut self, from: i128, to: i128) {
        self.total.from.0 += from;
        self.total.to.0 += to;
        if to > from {
            self.raised += 1;
            self.raised_by.0 += to - from;
        } else if to < from {
            self.lowered += 1;
            self.lowered_by.0 += from - to;
        }
    }
}
