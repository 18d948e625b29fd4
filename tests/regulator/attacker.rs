//! Somebody who has the regulator's files of one run, or of several, knows the definitions, and wants the counts of
//! households that were left blank. Written from the catalogue alone: which count stands in which indicator, what adds
//! up to what. Leaves solving to `linear`; the banks that are attacked stand in `disclosure`.

mod linear;
mod simplex;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::publication::{Publication, Row, UNITS};
use linear::{Equation, System};

/// How much the attacker makes of what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Means {
    /// Sums: areas, branches, segments, a count that is two others together; and a count that was hidden is at least 1.
    Sums,
    /// Also that no part is larger than its whole, and what an index or a measure of inequality says of its parts.
    Definitions,
    /// Also that a branch and an area hold the same households where much that both publish is the same and nothing
    /// differs: in well-divided land a branch often serves one township.
    Guesses,
}

/// One count of households.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub count: &'static str,
    pub breakdown: String,
    pub ref_area: String,
}

/// A hidden count that was found, right or wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Which of the publications.
    pub publication: usize,
    pub cell: Cell,
    pub value: i128,
}

/// The counts of households by indicator: numerator and denominator. What is not named here counts no households.
const COUNTS: [(&str, Option<&str>, Option<&str>); 21] = [
    ("profile_share", Some("profiled"), Some("households")),
    ("fresh_share", Some("fresh"), Some("households")),
    ("grading_share", Some("graded"), Some("profiled")),
    ("granting_share", Some("granted"), Some("households")),
    ("drawing_share", Some("drawn"), Some("granted")),
    ("visiting_share", Some("visited"), Some("households")),
    ("care_visiting_share", Some("care_visited"), Some("care")),
    ("account_share", Some("with_account"), Some("households")),
    ("active_share", Some("active"), Some("with_account")),
    ("borrowers_per_1000_households", Some("borrowing"), Some("households")),
    ("average_deposit", None, Some("with_account")),
    ("average_suggested_limit", None, Some("suggested")),
    ("first_loan_share", Some("first_loan"), Some("borrowing")),
    ("inclusive_small_customers", Some("customers"), None),
    ("within_3_km_share", Some("within_3_km"), Some("with_position")),
    ("nearest_point_median_m", None, Some("with_position")),
    ("nearest_point_p90_m", None, Some("with_position")),
    ("stale_profile_share", Some("stale"), Some("profiled")),
    ("credit_gini", None, Some("households")),
    ("credit_theil", None, Some("households")),
    ("credit_theil_between", None, Some("households")),
];

/// What is part of what, by the rules of coverage.
const PARTS: [(&str, &str); 19] = [
    ("profiled", "households"),
    ("fresh", "profiled"),
    ("stale", "profiled"),
    ("graded", "profiled"),
    ("suggested", "graded"),
    ("granted", "households"),
    ("drawn", "granted"),
    ("drawn", "borrowing"),
    ("borrowing", "households"),
    ("first_loan", "borrowing"),
    ("visited", "households"),
    ("care", "households"),
    ("care_visited", "care"),
    ("care_visited", "visited"),
    ("with_account", "households"),
    ("active", "with_account"),
    ("with_position", "households"),
    ("within_3_km", "with_position"),
    ("graded", "households"),
];

/// Loans of nobody's grid have customers, and stand in no area.
const OUTSIDE_AREAS: &str = "customers";

/// A count that is the same at two places says something from this size on.
const TELLING_MIN: i128 = 10;
/// So many of them, and it is no chance.
const TWIN_NUMBERS_MIN: usize = 10;

const SEGMENTS: [&str; 3] = ["business", "resident", "rural"];

pub fn counts_of(row: &Row) -> [(Option<&'static str>, Option<i128>); 2] {
    let known = COUNTS.iter().find(|(indicator, ..)| *indicator == row.indicator);
    let (numerator, denominator) = known.map_or((None, None), |(_, numerator, denominator)| (*numerator, *denominator));
    // Of no distance at all (there is no open point) households with a position are not counted.
    let is_nothing = denominator == Some("with_position") && numerator.is_none() && row.denominator == Some(0);
    [(numerator, row.numerator), (denominator.filter(|_| !is_nothing), row.denominator)]
}

/// Every hidden count that can be found from all publications together.
pub fn attack(publications: &[&Publication], means: Means) -> Vec<Recovered> {
    let views: Vec<View> = publications.iter().map(|publication| View::of(publication)).collect();
    let mut board = Board::new(views);
    for one in 0..publications.len() {
        for other in 0..one {
            if board.views[one].period == board.views[other].period {
                board.join(other, one);
            }
        }
    }
    for (publication, published) in publications.iter().enumerate() {
        board.add_sums(publication);
        board.add_values(publication, published);
        if means >= Means::Definitions {
            board.add_parts(publication);
            board.add_inequality(publication, published);
            board.add_indices(publication, published);
        }
        if means >= Means::Guesses {
            board.add_twins(publication, published);
        }
    }
    board.solve()
}

/// One publication as cells: known, or hidden (none).
struct View {
    period: String,
    cells: BTreeMap<Cell, Option<i128>>,
    sums: Vec<Sum>,
    /// Hidden in one row and shown in another.
    shown_elsewhere: BTreeSet<Cell>,
}

/// What together makes up what.
#[derive(Clone, PartialEq)]
struct Sum {
    whole: Cell,
    parts: Vec<Cell>,
    /// The parts may leave something over that is nowhere published.
    leaves_rest: bool,
}

impl View {
    fn of(publication: &Publication) -> View {
        let period = publication.rows.first().map_or(String::new(), |row| row.period.clone());
        let mut cells: BTreeMap<Cell, Option<i128>> = BTreeMap::new();
        let mut blanks = BTreeSet::new();
        for row in &publication.rows {
            for (count, units) in counts_of(row) {
                let Some(count) = count else { continue };
                let cell = Cell::of(count, row);
                let value = units.map(|units| whole(units, row));
                // Where a source is not collected, a blank may be a part that does not exist.
                if value.is_none() && row.status != "L" {
                    blanks.insert(cell.clone());
                }
                let known = cells.entry(cell).or_default();
                assert!(known.is_none() || value.is_none() || *known == value, "{row:?}: {count} is also {known:?}");
                *known = known.or(value);
            }
        }
        cells.retain(|cell, value| value.is_some() || blanks.contains(cell));
        let shown_elsewhere = blanks.into_iter().filter(|cell| cells[cell].is_some()).collect();
        let sums = all_sums(&cells, publication);
        View { period, cells, sums, shown_elsewhere }
    }
}

fn all_sums(cells: &BTreeMap<Cell, Option<i128>>, publication: &Publication) -> Vec<Sum> {
    let mut children: BTreeMap<(&str, bool), Vec<&str>> = BTreeMap::new();
    for area in publication.areas.iter().filter(|area| !area.parent.is_empty()) {
        children.entry((&area.parent, area.level == "branch")).or_default().push(&area.code);
    }
    let mut sums = Vec::new();
    let mut add = |whole: &Cell, parts: Vec<Cell>, leaves_rest: bool| {
        if !parts.is_empty() && parts.iter().all(|part| cells.contains_key(part)) {
            sums.push(Sum { whole: whole.clone(), parts, leaves_rest });
        }
    };
    for whole in cells.keys() {
        for is_branch in [true, false] {
            let parts = children.get(&(whole.ref_area.as_str(), is_branch)).map_or(&[][..], Vec::as_slice);
            let leaves_rest =
                whole.count == OUTSIDE_AREAS && !is_branch && publication.level(&whole.ref_area) == "bank";
            add(whole, parts.iter().map(|part| whole.at(part)).collect(), leaves_rest);
        }
        if whole.breakdown == "all" {
            add(whole, SEGMENTS.iter().map(|segment| whole.of_segment(segment)).collect(), false);
        }
        if whole.count == "profiled" {
            add(whole, vec![whole.counting("fresh"), whole.counting("stale")], false);
        }
    }
    sums
}

/// A count as it is published, which is a whole number.
fn whole(units: i128, row: &Row) -> i128 {
    assert_eq!(units % UNITS, 0, "{row:?}: a count of households is no whole number");
    units / UNITS
}

impl Cell {
    pub fn of(count: &'static str, row: &Row) -> Cell {
        Cell { count, breakdown: row.breakdown.clone(), ref_area: row.ref_area.clone() }
    }

    fn at(&self, ref_area: &str) -> Cell {
        Cell { ref_area: ref_area.to_string(), ..self.clone() }
    }

    fn of_segment(&self, segment: &str) -> Cell {
        Cell { breakdown: segment.to_string(), ..self.clone() }
    }

    fn counting(&self, count: &'static str) -> Cell {
        Cell { count, ..self.clone() }
    }
}

/// Everything that is concluded, over all publications at once.
struct Board {
    views: Vec<View>,
    system: System,
    /// The unknown that stands for a hidden cell of a publication.
    unknowns: BTreeMap<(usize, Cell), usize>,
}

impl Board {
    fn new(views: Vec<View>) -> Board {
        let mut board = Board { views, system: System::default(), unknowns: BTreeMap::new() };
        for (publication, view) in board.views.iter().enumerate() {
            for (cell, _) in view.cells.iter().filter(|(_, value)| value.is_none()) {
                // Zero is never suppressed.
                board.unknowns.insert((publication, cell.clone()), board.system.unknown(1));
            }
        }
        board
    }

    /// Two vintages of one day: where everything that both publish of a sum is the same, so is, one may guess, what
    /// either hides.
    fn join(&mut self, first: usize, second: usize) {
        let (one, other) = (&self.views[first], &self.views[second]);
        let mut alike = BTreeSet::new();
        for sum in one.sums.iter().filter(|sum| other.sums.contains(sum)) {
            let members = || sum.parts.iter().chain([&sum.whole]);
            let known = members().filter_map(|cell| Some((one.cells[cell]?, other.cells[cell]?))).collect::<Vec<_>>();
            if !known.is_empty() && known.iter().all(|(one, other)| one == other) {
                alike.extend(members().cloned());
            }
        }
        for cell in alike {
            let mut equation = Equation { terms: BTreeMap::new(), total: 0 };
            self.add_term(&mut equation, first, &cell, 1);
            self.add_term(&mut equation, second, &cell, -1);
            self.state(equation);
        }
    }

    fn add_term(&self, equation: &mut Equation, publication: usize, cell: &Cell, coefficient: i128) {
        match self.views[publication].cells[cell] {
            Some(value) => equation.total -= coefficient * value,
            None => {
                let unknown = self.unknowns[&(publication, cell.clone())];
                *equation.terms.entry(unknown).or_default() += coefficient;
            }
        }
    }

    fn state(&mut self, equation: Equation) {
        if !equation.terms.is_empty() {
            self.system.equations.push(equation);
        }
    }

    fn add_sums(&mut self, publication: usize) {
        for sum in self.views[publication].sums.clone() {
            let mut equation = Equation { terms: BTreeMap::new(), total: 0 };
            self.add_term(&mut equation, publication, &sum.whole, 1);
            for part in &sum.parts {
                self.add_term(&mut equation, publication, part, -1);
            }
            if sum.leaves_rest {
                equation.terms.insert(self.system.unknown(0), -1);
            }
            self.state(equation);
        }
    }

    /// A value beside one of its parts gives the other.
    fn add_values(&mut self, publication: usize, published: &Publication) {
        for row in &published.rows {
            let Some(value) = row.value else { continue };
            let per_unit = if row.unit == "per_1000_households" { value / 1_000.0 } else { value };
            let [(numerator, above), (denominator, below)] = counts_of(row);
            let found = match (numerator, above, denominator, below) {
                (Some(count), None, None, _) => Some((count, per_unit)),
                (Some(count), None, _, Some(below)) => Some((count, per_unit * below as f64 / UNITS as f64)),
                (_, Some(above), Some(count), None) if value != 0.0 => {
                    Some((count, above as f64 / UNITS as f64 / per_unit))
                }
                _ => None,
            };
            if let Some((count, value)) = found {
                self.state_value(publication, Cell::of(count, row), value);
            }
        }
    }

    /// A hidden count is this, to the next whole number.
    fn state_value(&mut self, publication: usize, cell: Cell, value: f64) {
        if let Some(&unknown) = self.unknowns.get(&(publication, cell)) {
            self.state(Equation { terms: BTreeMap::from([(unknown, 1)]), total: value.round() as i128 });
        }
    }

    /// A part is never larger than its whole; what a part in a segment is part of, too.
    fn add_parts(&mut self, publication: usize) {
        let cells: Vec<Cell> = self.views[publication].cells.keys().cloned().collect();
        for part in &cells {
            for (_, whole) in PARTS.iter().filter(|(name, _)| *name == part.count) {
                let whole = part.counting(whole);
                if self.views[publication].cells.contains_key(&whole) {
                    self.state_at_most(publication, part, &whole);
                }
            }
        }
    }

    fn state_at_most(&mut self, publication: usize, part: &Cell, whole: &Cell) {
        let mut equation = Equation { terms: BTreeMap::new(), total: 0 };
        self.add_term(&mut equation, publication, whole, 1);
        self.add_term(&mut equation, publication, part, -1);
        if !equation.terms.is_empty() {
            equation.terms.insert(self.system.unknown(0), -1);
            self.state(equation);
        }
    }

    /// Of n households of which k owe anything, Gini's coefficient is at least 1 − k / n and Theil's T at least
    /// ln(n / k); both are at their largest, 1 − 1 / n and ln n, for k = 1 alone.
    fn add_inequality(&mut self, publication: usize, published: &Publication) {
        for row in &published.rows {
            let (Some(value), Some(units)) = (row.value, row.denominator) else { continue };
            let households = (units / UNITS) as f64;
            let (least, largest) = match row.indicator.as_str() {
                "credit_gini" => (households * (1.0 - value), 1.0 - 1.0 / households),
                "credit_theil" => (households * (-value).exp(), households.ln()),
                _ => continue,
            };
            let cell = Cell::of("borrowing", row);
            let Some(&unknown) = self.unknowns.get(&(publication, cell.clone())) else { continue };
            if value > largest - 1e-9 {
                self.state_value(publication, cell, 1.0);
            } else {
                let lowest = &mut self.system.lowest[unknown];
                *lowest = (*lowest).max((least - 1e-6).ceil() as i128);
            }
        }
    }

    /// An index that is published beside all its parts but one gives that one.
    fn add_indices(&mut self, publication: usize, published: &Publication) {
        let find = |indicator: &str, row: &Row| {
            published.rows.iter().find(|other| {
                other.indicator == indicator && other.ref_area == row.ref_area && other.breakdown == row.breakdown
            })
        };
        for row in published.rows.iter().filter(|row| row.indicator == "inclusion_index") {
            let Some(index) = row.value else { continue };
            let parts = INDEX.map(|(indicator, ..)| find(indicator, row));
            let values = parts.map(|part| part.and_then(|part| part.value));
            let missing: Vec<usize> = (0..INDEX.len()).filter(|&place| values[place].is_none()).collect();
            let [missing] = missing[..] else { continue };
            let Some(part) = parts[missing] else { continue };
            let ([(Some(count), None), _], Some(denominator)) = (counts_of(part), part.denominator) else { continue };
            let share = share_in_index(index, values.map(Option::unwrap_or_default), missing);
            let value = share * denominator as f64 / UNITS as f64;
            self.state_value(publication, Cell::of(count, row), value);
        }
    }

    fn add_twins(&mut self, publication: usize, published: &Publication) {
        let (branches, areas): (Vec<_>, Vec<_>) =
            published.areas.iter().filter(|area| area.level != "bank").partition(|area| area.level == "branch");
        for (branch, area) in branches.iter().flat_map(|branch| areas.iter().map(move |area| (branch, area))) {
            let view = &self.views[publication];
            // Customers outside the grids belong to a branch and to no area.
            let of_branch =
                view.cells.iter().filter(|(cell, _)| cell.ref_area == branch.code && cell.count != OUTSIDE_AREAS);
            let pairs: Vec<_> = of_branch
                .filter_map(|(cell, value)| Some((cell.clone(), *value, *view.cells.get(&cell.at(&area.code))?)))
                .collect();
            let known = pairs.iter().filter_map(|(_, one, other)| Some(((*one)?, (*other)?)));
            let (alike, different): (Vec<_>, Vec<_>) = known.partition(|(one, other)| one == other);
            let telling = alike.iter().filter(|(one, _)| *one >= TELLING_MIN).count();
            if !different.is_empty() || telling < TWIN_NUMBERS_MIN {
                continue;
            }
            for (cell, ..) in pairs {
                let mut equation = Equation { terms: BTreeMap::new(), total: 0 };
                self.add_term(&mut equation, publication, &cell, 1);
                self.add_term(&mut equation, publication, &cell.at(&area.code), -1);
                self.state(equation);
            }
        }
    }

    fn solve(self) -> Vec<Recovered> {
        let mut found = Vec::new();
        for (publication, view) in self.views.iter().enumerate() {
            found.extend(view.shown_elsewhere.iter().map(|cell| {
                let value = view.cells[cell].unwrap();
                Recovered { publication, cell: cell.clone(), value }
            }));
        }
        let determined = linear::determined(&self.system);
        found.extend(self.unknowns.into_iter().filter_map(|((publication, cell), unknown)| {
            determined.get(&unknown).map(|&value| Recovered { publication, cell, value })
        }));
        found
    }
}

/// The parts of the inclusion index with their weights and best values; the worst is 0.
const INDEX: [(&str, f64, f64); 3] =
    [("account_share", 1.0, 1.0), ("village_service_share", 0.5, 1.0), ("granting_share", 0.5, 0.6)];

/// The value of the one part that makes the index what it is: the index grows with each of its parts.
fn share_in_index(index: f64, mut values: [f64; 3], missing: usize) -> f64 {
    let (mut low, mut high) = (0.0, INDEX[missing].2);
    for _ in 0..60 {
        values[missing] = f64::midpoint(low, high);
        let is_below = inclusion_index(values) < index;
        (low, high) = if is_below { (values[missing], high) } else { (low, values[missing]) };
    }
    high
}

/// Sarma (2012): the mean of the distance from the worst point and of what the distance from the best one leaves.
fn inclusion_index(values: [f64; 3]) -> f64 {
    let (mut from_worst, mut from_best, mut furthest) = (0.0, 0.0, 0.0);
    for ((_, weight, best), value) in INDEX.into_iter().zip(values) {
        let placed = weight * (value / best).clamp(0.0, 1.0);
        from_worst += placed * placed;
        from_best += (weight - placed) * (weight - placed);
        furthest += weight * weight;
    }
    f64::midpoint((from_worst / furthest).sqrt(), 1.0 - (from_best / furthest).sqrt())
}
