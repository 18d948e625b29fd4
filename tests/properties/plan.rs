//! Random small banks: who stands where. Each area, branch, grid, officer, assignment, patrol and household is a seed, so
//! that a bank that fails shrinks part by part. What is known of a household is drawn by `ledgers`; rows that cleaning
//! has to set aside are spoiled on purpose, for the properties that want them.

use std::collections::BTreeSet;
use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;

use super::book::{Book, day, moment};
use super::draw::Draw;
use super::ledgers;
use crate::support::bank::Row;

const LEVELS: [&str; 4] = ["county", "township", "village", "community"];
const VILLAGE: usize = 2;
const GRID_KINDS: [&str; 5] = ["village", "community", "business_district", "industrial_park", "campus"];
const SETTLEMENTS: [&str; 5] = ["autonomous", "unit", "property_managed", "dispersed", ""];
/// Where the first household lives; the others a few hundred metres from each other.
const LONGITUDE: f64 = 113.0;
const LATITUDE: f64 = 29.0;

/// Cells that make a row be set aside or be another's, a few for each rule.
const SPOILS: [(&str, &str, &str); 22] = [
    ("areas", "parent_area_id", "A0"),
    ("areas", "parent_area_id", "A1"),
    ("areas", "population", ""),
    ("branches", "area_id", "nowhere"),
    ("grids", "area_id", "A1"),
    ("grids", "branch_id", "nowhere"),
    ("grids", "joined_on", "soon"),
    ("officers", "active_from", ""),
    ("assignments", "officer_id", "nowhere"),
    ("households", "grid_id", "nowhere"),
    ("households", "kind", "castle"),
    ("households", "longitude", "181"),
    ("households", "valid_from", "2014-12-31"),
    ("profiles", "recorded_at", ""),
    ("profiles", "officer_id", "nowhere"),
    ("visits", "officer_id", "nowhere"),
    ("visits", "household_id", ""),
    ("visits", "started_at", "noon"),
    ("accounts", "product", "gold"),
    ("loans", "principal", "0"),
    ("loan_months", "outstanding", "much"),
    ("decisions", "action", ""),
];

/// Seeds of everything that a bank holds.
#[derive(Clone)]
pub struct Plan {
    areas: Vec<u64>,
    branches: Vec<u64>,
    grids: Vec<u64>,
    officers: Vec<u64>,
    assignments: Vec<u64>,
    patrols: Vec<u64>,
    households: Vec<u64>,
    spoils: Vec<u64>,
}

pub fn plans() -> impl Strategy<Value = Plan> {
    let seeds = |sizes: std::ops::RangeInclusive<usize>| vec(any::<u64>().no_shrink(), sizes);
    let register = (seeds(1..=6), seeds(1..=4), seeds(1..=8), seeds(1..=5), seeds(0..=12));
    let rest = (seeds(0..=6), seeds(0..=60), seeds(0..=6));
    (register, rest).prop_map(|((areas, branches, grids, officers, assignments), (patrols, households, spoils))| Plan {
        areas,
        branches,
        grids,
        officers,
        assignments,
        patrols,
        households,
        spoils,
    })
}

impl Plan {
    /// The bank, every row of it sound.
    pub fn book(&self) -> Book {
        let mut book = Book::default();
        self.add_areas(&mut book);
        let areas: Vec<String> = book.rows("areas").iter().filter(|row| has_grids(row)).map(area_id).collect();
        self.add_branches(&mut book);
        self.add_grids(&mut book, &areas.iter().map(String::as_str).collect::<Vec<_>>());
        self.add_officers(&mut book);
        for (place, &seed) in self.patrols.iter().enumerate() {
            let mut draw = Draw::new(seed);
            let (grid, officer) = (numbered('G', &self.grids, &mut draw), numbered('O', &self.officers, &mut draw));
            let started = moment(draw.between(6, 60), draw.between(300, 1300));
            book.add_row("visits", ledgers::visit(&mut draw, &format!("R{place}"), None, &grid, &officer, started));
        }
        for (place, &seed) in self.households.iter().enumerate() {
            self.add_household(&mut book, place, &mut Draw::new(seed));
        }
        book
    }

    /// The bank with up to six cells that are not what they should be.
    pub fn spoiled_book(&self) -> Book {
        let mut book = self.book();
        for (table, place, column, value) in self.spoils_of(&book) {
            book.rows_mut(table)[place].insert(column.into(), value.into());
        }
        book
    }

    /// Table, row, column and what is written there.
    fn spoils_of(&self, book: &Book) -> Vec<(&'static str, usize, &'static str, &'static str)> {
        let spoils = self.spoils.iter().filter_map(|&seed| {
            let mut draw = Draw::new(seed);
            let (table, column, value) = draw.pick(&SPOILS);
            let rows = book.rows(table).len();
            (rows > 0).then(|| (table, draw.below(rows), column, value))
        });
        spoils.collect()
    }

    /// The first area can hold grids; a parent is any area of a higher level, so that levels are skipped now and then.
    fn add_areas(&self, book: &mut Book) {
        let level = |(place, &seed): (usize, &u64)| match place {
            0 => VILLAGE + Draw::new(seed).below(2),
            _ => Draw::new(seed).pick(&[0, 1, 1, 2, 2, 3]),
        };
        let levels: Vec<usize> = self.areas.iter().enumerate().map(level).collect();
        for (place, (&seed, &level)) in self.areas.iter().zip(&levels).enumerate() {
            let mut draw = Draw::new(!seed);
            let is_above = |other: &usize| levels[*other] < level.min(VILLAGE);
            let above: Vec<usize> = (0..levels.len()).filter(is_above).collect();
            let parent = draw.pick_any(&above).filter(|_| draw.has_chance(85));
            book.add(
                "areas",
                &[
                    ("area_id", &format!("A{place}")),
                    ("parent_area_id", &parent.map_or(String::new(), |parent| format!("A{parent}"))),
                    ("level", &LEVELS[level]),
                    ("is_rural", &draw.has_chance(50)),
                    ("household_count", &draw.pick(&[0, 5, 12, 30, 300])),
                ],
            );
        }
    }

    fn add_branches(&self, book: &mut Book) {
        for (place, &seed) in self.branches.iter().enumerate() {
            let mut draw = Draw::new(seed);
            let closed = if draw.has_chance(10) { day(draw.between(-3, 3)).to_string() } else { String::new() };
            let area = numbered('A', &self.areas, &mut draw);
            book.add("branches", &[("branch_id", &format!("B{place}")), ("area_id", &area), ("closed_on", &closed)]);
        }
    }

    fn add_grids(&self, book: &mut Book, areas: &[&str]) {
        for (place, &seed) in self.grids.iter().enumerate() {
            let mut draw = Draw::new(seed);
            let (from, to) = match draw.below(10) {
                0 => (day(2000), day(draw.between(0, 30)).to_string()),
                1 => (day(2000), day(-1).to_string()),
                2 => (day(draw.between(-1, 0)), String::new()),
                _ => (day(2000), String::new()),
            };
            book.add(
                "grids",
                &[
                    ("grid_id", &format!("G{place}")),
                    ("branch_id", &numbered('B', &self.branches, &mut draw)),
                    ("area_id", &draw.pick(areas)),
                    ("kind", &draw.pick(&GRID_KINDS)),
                    ("settlement", &draw.pick(&SETTLEMENTS)),
                    ("joined_on", &day(draw.pick(&[-20, 0, 100, 364, 366, 500, 729, 731, 1500, 1500, 1500]))),
                    ("valid_from", &from),
                    ("valid_to", &to),
                ],
            );
        }
    }

    fn add_officers(&self, book: &mut Book) {
        for (place, &seed) in self.officers.iter().enumerate() {
            let mut draw = Draw::new(seed);
            let left = if draw.has_chance(10) { day(draw.between(-5, 5)).to_string() } else { String::new() };
            let branch = numbered('B', &self.branches, &mut draw);
            book.add("officers", &[("officer_id", &format!("O{place}")), ("branch_id", &branch), ("active_to", &left)]);
        }
        let mut keys = BTreeSet::new();
        for &seed in &self.assignments {
            let mut draw = Draw::new(seed);
            let (grid, officer) = (numbered('G', &self.grids, &mut draw), numbered('O', &self.officers, &mut draw));
            let duty = draw.pick(&["primary", "primary", "backup"]);
            let from = day(draw.between(-2, 900));
            let to = if draw.has_chance(15) { day(draw.between(-9, -3)).to_string() } else { String::new() };
            if keys.insert((grid.clone(), officer.clone(), duty, from)) {
                let who = [("grid_id", &grid as &dyn fmt::Display), ("officer_id", &officer), ("duty", &duty)];
                book.add("assignments", &[&who[..], &[("valid_from", &from), ("valid_to", &to)]].concat());
            }
        }
    }

    fn add_household(&self, book: &mut Book, place: usize, draw: &mut Draw) {
        let id = format!("H{place}");
        let grid = numbered('G', &self.grids, draw);
        let home = draw.has_chance(80).then_some((LONGITUDE + place as f64 * 0.003, LATITUDE));
        let household = ledgers::Household { id: &id, grid: &grid, home, is_served: draw.has_chance(40) };
        let (from, moved) = (day(2000), draw.has_chance(15).then(|| day(draw.between(0, 500))));
        let ends = if draw.has_chance(8) { day(draw.between(-2, 0)).to_string() } else { String::new() };
        let row = ledgers::household(draw, &household, moved.unwrap_or(from), &ends);
        if let Some(moved) = moved {
            let mut earlier = row.clone();
            earlier.insert("grid_id".into(), numbered('G', &self.grids, draw));
            earlier.insert("valid_from".into(), from.to_string());
            earlier.insert("valid_to".into(), moved.to_string());
            book.add_row("households", earlier);
        }
        if ends.is_empty() || moved.is_none_or(|moved| moved.to_string() < ends) {
            book.add_row("households", row);
        }
        ledgers::add_profiles(book, draw, &household);
        ledgers::add_accounts(book, draw, &id);
        let branch = numbered('B', &self.branches, draw);
        ledgers::add_loans(book, draw, &id, &branch);
        ledgers::add_conduct(book, draw, &id);
        ledgers::add_decisions(book, draw, &household);
        for number in 0..draw.pick(&[0, 0, 1, 1, 2, 3]) {
            let officer = numbered('O', &self.officers, draw);
            let elsewhere = draw.has_chance(10).then(|| numbered('G', &self.grids, draw));
            let days = draw.pick(&[6, 20, 60, 85, 100, 300, 380, 700, 800]) + draw.between(0, 10);
            let days = if draw.has_chance(5) { -days } else { days };
            let started = moment(days, draw.between(380, 1290));
            let visited = elsewhere.as_ref().unwrap_or(&grid);
            let visit = format!("V{place}-{number}");
            book.add_row("visits", ledgers::visit(draw, &visit, Some(&household), visited, &officer, started));
        }
    }
}

/// One of the things of a kind, by its identifier.
fn numbered(letter: char, seeds: &[u64], draw: &mut Draw) -> String {
    format!("{letter}{}", draw.below(seeds.len()))
}

fn has_grids(area: &Row) -> bool {
    LEVELS[VILLAGE..].contains(&area["level"].as_str())
}

fn area_id(area: &Row) -> String {
    area["area_id"].clone()
}

impl fmt::Debug for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let book = self.book();
        book.fmt(formatter)?;
        for (table, place, column, value) in self.spoils_of(&book) {
            writeln!(formatter, "spoiled, where a property wants it: {table} row {}: {column}={value}", place + 1)?;
        }
        Ok(())
    }
}
