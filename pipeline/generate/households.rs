//! A household as it really is, which no table shows: its quality (from which punctuality, balances, conduct and peer
//! reviews follow), its wealth, and when it came, moved or went. Writes the rows of `households`.

use super::layout::{Grid, GridKind};
use super::random::{Random, Subject};
use super::tables::Tables;
use super::{Neighbours, Position, Setting, id, names};
use crate::calendar::Date;
use std::fmt::Write as _;

pub struct Household {
    pub number: i64,
    pub id: String,
    /// From 1 within its grid.
    pub rank: i64,
    pub kind: Kind,
    pub members: i64,
    /// 0 the worst payer and neighbour, 999 the best.
    pub quality: i64,
    /// Income less operating cost in a year, in whole yuan.
    pub net_income: i64,
    /// In whole yuan.
    pub assets: i64,
    pub position: Option<Position>,
    /// Where its visits take place, known to the register or not.
    pub home: Position,
    arrived_on: Date,
    pub left_on: Option<Date>,
    /// The day on which it was handed over by the grid before.
    pub moved_here_on: Option<Date>,
    moves_on: Option<Date>,
    /// Nothing but the register knows the household.
    pub is_blank: bool,
    /// Own loans on the as-of date, in cents.
    pub own_outstanding: i64,
    pub has_loan: bool,
    /// Debts elsewhere by the latest report, in cents.
    pub outside_outstanding: i64,
    pub vetoes: Vetoes,
}

/// What stands against the household on the as-of date.
#[derive(Default)]
pub struct Vetoes {
    pub on_watchlist: bool,
    pub past_due: bool,
    pub bad_class: bool,
    pub conduct: bool,
    pub peers: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    FarmHousehold,
    Resident,
    Merchant,
    SmallEnterprise,
    LargeGrower,
    Cooperative,
    LeadingEnterprise,
    FamilyFarm,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::FarmHousehold => "farm_household",
            Kind::Resident => "resident",
            Kind::Merchant => "merchant",
            Kind::SmallEnterprise => "small_enterprise",
            Kind::LargeGrower => "large_grower",
            Kind::Cooperative => "cooperative",
            Kind::LeadingEnterprise => "leading_enterprise",
            Kind::FamilyFarm => "family_farm",
        }
    }

    pub fn is_business(self) -> bool {
        matches!(self, Kind::Merchant | Kind::SmallEnterprise)
    }

    pub fn is_rural(self) -> bool {
        !self.is_business() && self != Kind::Resident
    }

    /// How many times the income of a farm household it has.
    pub fn scale(self) -> i64 {
        match self {
            Kind::FarmHousehold | Kind::Resident => 1,
            Kind::Merchant | Kind::FamilyFarm => 2,
            Kind::LargeGrower => 3,
            Kind::SmallEnterprise | Kind::Cooperative => 5,
            Kind::LeadingEnterprise => 20,
        }
    }

    fn drawn_in(grid: GridKind, random: &mut Random) -> Kind {
        let choices: &[(i64, Kind)] = match grid {
            GridKind::Village => &[
                (835, Kind::FarmHousehold),
                (35, Kind::LargeGrower),
                (20, Kind::FamilyFarm),
                (10, Kind::Cooperative),
                (3, Kind::LeadingEnterprise),
                (50, Kind::Merchant),
                (37, Kind::Resident),
                (10, Kind::SmallEnterprise),
            ],
            GridKind::Community => {
                &[(810, Kind::Resident), (135, Kind::Merchant), (35, Kind::SmallEnterprise), (20, Kind::FarmHousehold)]
            }
            GridKind::BusinessDistrict => &[(720, Kind::Merchant), (200, Kind::SmallEnterprise), (80, Kind::Resident)],
            GridKind::IndustrialPark => {
                &[(850, Kind::SmallEnterprise), (100, Kind::Merchant), (50, Kind::LeadingEnterprise)]
            }
            GridKind::Campus => &[(900, Kind::Resident), (100, Kind::Merchant)],
        };
        random.weighted(choices)
    }
}

impl Household {
    pub fn draw(setting: &Setting, grid: &Grid, neighbours: &Neighbours, rank: i64) -> Self {
        let number = grid.first_household + rank - 1;
        let mut random = Random::of(setting.seed, Subject::Household, number);
        let kind = Kind::drawn_in(grid.kind, &mut random);
        let members = if kind.is_business() { random.between(1, 4) } else { random.around(1, 6) };
        let quality = ((random.between(0, 1_230) * 2 + random.between(0, 1_230)) / 3).clamp(0, 999);
        // Wealth goes with quality, but not always.
        let standing = (quality * 3 + random.around(-100, 1_150).clamp(0, 999)) / 4;
        let income_per_member = 4_000 + standing * 20 + standing * standing * 80 / 1_000;
        let net_income = income_per_member * members * kind.scale() * random.between(75, 125) / 100;
        let net_income = if random.chance(12) { -net_income / 4 } else { net_income };
        let assets = net_income.abs() * (9 + standing / 11) * random.between(70, 140) / 1_000;
        let home = grid.centre.moved(random.around(-7_000, 7_000), random.around(-7_000, 7_000));
        let known = Date(setting.history_from.0 - random.between(200, 1_800) as i32);
        let mut household = Household {
            number,
            id: id('H', number, setting.widths.household),
            rank,
            kind,
            members,
            quality,
            net_income,
            assets,
            position: random.chance(950).then_some(home),
            home,
            arrived_on: known,
            left_on: None,
            moved_here_on: None,
            moves_on: None,
            is_blank: random.chance(5) && !setting.is_busy(number),
            own_outstanding: 0,
            has_loan: false,
            outside_outstanding: 0,
            vetoes: Vetoes::default(),
        };
        if !setting.is_busy(number) {
            household.draw_moves(setting, neighbours, &mut random);
        }
        household
    }

    fn draw_moves(&mut self, setting: &Setting, neighbours: &Neighbours, random: &mut Random) {
        let days = setting.history_days;
        match random.below(1_000) {
            0..25 => self.arrived_on = setting.days_before(random.between(20, days.max(21))),
            25..45 => self.left_on = Some(setting.days_before(random.between(0, days * 3 / 4))),
            45..54 => self.left_on = Some(setting.days_after(random.between(1, 120))),
            54..94 if neighbours.before.is_some() => {
                self.moved_here_on = Some(setting.days_before(random.between(10, days * 3 / 4 + 10)));
            }
            94..118 if neighbours.after.is_some() => {
                self.moves_on = Some(setting.days_after(random.between(1, 180)));
            }
            _ => {}
        }
    }

    /// The grid that looks after the household on a day.
    pub fn grid_on<'a>(&self, day: Date, grid: &'a Grid, neighbours: &Neighbours<'a>) -> &'a Grid {
        match (self.moved_here_on, neighbours.before) {
            (Some(moved_on), Some(before)) if day < moved_on => before,
            _ => grid,
        }
    }

    pub fn lives_here_on(&self, day: Date) -> bool {
        self.arrived_on <= day && self.left_on.is_none_or(|left_on| day < left_on)
    }

    /// How much worse than the best the household is, squared: 0 for the best, 1,000 for the worst.
    pub fn carelessness(&self) -> i64 {
        (999 - self.quality) * (999 - self.quality) / 1_000
    }

    /// One row for each grid that the household belonged to, belongs to or will belong to.
    pub fn write(&self, setting: &Setting, grid: &Grid, neighbours: &Neighbours, tables: &mut Tables) {
        let person = Person::of(self, setting);
        match (self.moved_here_on, neighbours.before, self.moves_on, neighbours.after) {
            (Some(moved_on), Some(before), _, _) => {
                self.write_row(&person, before, self.arrived_on, Some(moved_on), tables);
                self.write_row(&person, grid, moved_on, None, tables);
            }
            (_, _, Some(moves_on), Some(after)) => {
                self.write_row(&person, grid, self.arrived_on, Some(moves_on), tables);
                self.write_row(&person, after, moves_on, None, tables);
            }
            _ => self.write_row(&person, grid, self.arrived_on, self.left_on, tables),
        }
    }

    fn write_row(&self, person: &Person, grid: &Grid, from: Date, to: Option<Date>, tables: &mut Tables) {
        let rows = tables.households.text(self.id.as_str()).text(grid.id.as_str()).text(self.kind.word());
        rows.text(person.head_name.as_str()).text(person.id_number.as_deref()).bool(person.notice_consent);
        rows.count(self.members).text(person.care_category).position(self.position).date(from).date(to);
    }
}

/// What the register says of the head of the household.
struct Person {
    head_name: String,
    id_number: Option<String>,
    notice_consent: Option<bool>,
    care_category: &'static str,
}

impl Person {
    fn of(household: &Household, setting: &Setting) -> Self {
        let mut random = Random::of(setting.seed, Subject::Person, household.number);
        let mut head_name = String::new();
        names::add_person(&mut head_name, &mut random);
        let born_on = setting.days_before(random.between(22 * 365, 82 * 365)).to_string().replace('-', "");
        let mut id_number = String::with_capacity(18);
        // No area has the code 000000, so the number cannot be anybody's.
        let _ = write!(id_number, "000000{born_on}{:04}", household.number % 10_000);
        let is_person = !household.kind.is_business() && household.kind != Kind::LeadingEnterprise;
        Person {
            head_name,
            id_number: random.chance(970).then_some(id_number),
            notice_consent: random.weighted(&[(600, Some(true)), (250, Some(false)), (150, None)]),
            care_category: if is_person {
                random.weighted(&[
                    (860, "none"),
                    (30, "hardship"),
                    (40, "living_alone"),
                    (25, "disabled"),
                    (30, "left_behind"),
                    (15, "unemployed"),
                ])
            } else {
                "none"
            },
        }
    }
}
