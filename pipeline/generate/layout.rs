//! The ground plan of the bank: areas, branches and grids, and which households live where.
//! Counties hold townships, townships hold villages and communities; each township has a sub-branch, each village or
//! community one to three grids. Households are numbered in the order of the grids.
//! A bank that is large enough gets a few flaws on purpose, for the partition faults; `staff.rs` makes those of people.

use super::random::{Random, Subject};
use super::tables::Tables;
use super::{Position, Setting, Shape, id, names};
use crate::calendar::Date;

/// Banks below this many households have no flaws: a village of households should look as it should.
const FLAWED_FROM_HOUSEHOLDS: i64 = 1_000;
/// The flaws come once in so many grids.
const FLAWS_EVERY_GRIDS: usize = 400;
const TOWNSHIPS_A_COUNTY: i64 = 15;

pub struct Layout {
    pub areas: Vec<Area>,
    pub branches: Vec<Branch>,
    pub grids: Vec<Grid>,
}

pub struct Area {
    pub id: String,
    parent_id: Option<String>,
    pub level: &'static str,
    name: String,
    register: Register,
    has_land: bool,
    pub centre: Position,
    /// The branch that serves the area.
    pub branch_id: String,
}

pub struct Branch {
    pub id: String,
    parent_id: Option<String>,
    level: &'static str,
    pub name: String,
    pub area_id: String,
    pub opened_on: Date,
    pub closed_on: Option<Date>,
    pub position: Position,
}

pub struct Grid {
    pub id: String,
    pub number: i64,
    pub branch_id: String,
    area_id: String,
    pub kind: GridKind,
    settlement: Option<&'static str>,
    name: String,
    joined_on: Date,
    pub valid_from: Date,
    valid_to: Option<Date>,
    /// The number of the grid's household of rank 1.
    pub first_household: i64,
    /// Households that live or lived here; 0 for a grid that is only planned.
    pub size: i64,
    pub centre: Position,
    /// The grid before this one lies in the same area.
    pub follows_in_area: bool,
    pub flaw: Flaw,
    pub crew: Crew,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum GridKind {
    Village,
    Community,
    BusinessDistrict,
    IndustrialPark,
    Campus,
}

/// What is wrong with a grid, on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    WithoutPrimary,
    TwoPrimaries,
    /// Its primary officer is also that of the grid before.
    SharedPrimary,
    PrimaryOfOtherBranch,
    WithoutBackup,
    ClosedBranch,
    Ended,
    /// Its primary officer logs visits that do not bear checking.
    CarelessOfficer,
}

/// Who works in a grid; filled by `staff.rs`.
#[derive(Default)]
pub struct Crew {
    pub primary_id: Option<String>,
    pub backup_id: Option<String>,
    /// The primary officer before this one, and the day of the change.
    pub predecessor: Option<(String, Date)>,
    /// The branch's manager, who is assigned to no grid.
    pub manager_id: String,
    /// The backup makes all the visits, because the primary's hands are full.
    pub backup_only: bool,
}

/// Which flaws come once in every block of grids, each from so many villages on.
const FLAWS: [(i64, Flaw); 10] = [
    (1, Flaw::TwoPrimaries),
    (2, Flaw::SharedPrimary),
    (3, Flaw::ClosedBranch),
    (5, Flaw::WithoutPrimary),
    (8, Flaw::CarelessOfficer),
    (10, Flaw::PrimaryOfOtherBranch),
    (12, Flaw::WithoutBackup),
    (60, Flaw::CarelessOfficer),
    (140, Flaw::CarelessOfficer),
    (220, Flaw::CarelessOfficer),
];

impl Flaw {
    /// Whether the grid can have the flaw; `before` is the branch of the grid before, where that one has no flaw.
    fn fits(self, grid: &Grid, before: Option<&str>) -> bool {
        match self {
            Flaw::SharedPrimary => before == Some(grid.branch_id.as_str()),
            // One of two grids in a village, so that two branches overlap there.
            Flaw::ClosedBranch => grid.follows_in_area,
            _ => true,
        }
    }
}

impl GridKind {
    fn word(self) -> &'static str {
        match self {
            GridKind::Village => "village",
            GridKind::Community => "community",
            GridKind::BusinessDistrict => "business_district",
            GridKind::IndustrialPark => "industrial_park",
            GridKind::Campus => "campus",
        }
    }
}

pub fn lay_out(setting: &Setting) -> Layout {
    let mut builder = Builder {
        setting,
        random: Random::of(setting.seed, Subject::Layout, 0),
        layout: Layout { areas: Vec::new(), branches: Vec::new(), grids: Vec::new() },
        next_area: 1,
        next_branch: 1,
        next_household: 1,
    };
    builder.bank();
    let mut layout = builder.layout;
    // A parent is finished after what lies in it, but numbered before.
    layout.areas.sort_by(|one, other| one.id.cmp(&other.id));
    layout
}

/// A village or community to be, with the kinds and sizes of its grids; a size of 0 is a grid that is only planned.
struct AreaPlan {
    is_village: bool,
    grids: Vec<(GridKind, i64)>,
}

struct Builder<'a> {
    setting: &'a Setting,
    random: Random,
    layout: Layout,
    next_area: i64,
    next_branch: i64,
    next_household: i64,
}

/// What the civil register counts; in a township or county the sum of what lies in it.
#[derive(Clone, Copy, Default)]
struct Register {
    households: i64,
    population: i64,
    /// Ten-thousandths of a square kilometre.
    land: i64,
}

impl Register {
    fn plus(self, other: Register) -> Register {
        Register {
            households: self.households + other.households,
            population: self.population + other.population,
            land: self.land + other.land,
        }
    }
}

impl Builder<'_> {
    fn bank(&mut self) {
        let setting = self.setting;
        let counties = (setting.townships + TOWNSHIPS_A_COUNTY - 1) / TOWNSHIPS_A_COUNTY;
        let quotas = self.quotas();
        let head_office = self.branch_id();
        for (county, quotas) in quotas.chunks(TOWNSHIPS_A_COUNTY as usize).enumerate() {
            self.county(county as i64, counties > 1, &head_office, quotas);
        }
        if setting.households >= FLAWED_FROM_HOUSEHOLDS {
            self.flaw_grids();
            self.plan_branch(&head_office);
        }
    }

    /// How many households each township has; together all of them.
    fn quotas(&mut self) -> Vec<i64> {
        let mut weights: Vec<i64> = (0..self.setting.townships).map(|_| self.random.between(70, 130)).collect();
        let others: i64 = weights.iter().skip(1).sum();
        if let (Shape::HugeBranch, Some(first)) = (self.setting.shape, weights.first_mut()) {
            *first = others.max(1);
        }
        let total: i128 = weights.iter().copied().map(i128::from).sum();
        let (mut weight_so_far, mut given) = (0, 0);
        let mut quotas = Vec::new();
        for weight in weights {
            weight_so_far += i128::from(weight);
            let until = (i128::from(self.setting.households) * weight_so_far / total) as i64;
            quotas.push(until - given);
            given = until;
        }
        quotas
    }

    fn county(&mut self, number: i64, has_own_branch: bool, head_office: &str, quotas: &[i64]) {
        // Counties and townships lie on a lattice over a country that is nowhere in particular.
        let corner = Position {
            longitude: 104_000_000 + number % 24 * 500_000,
            latitude: 25_000_000 + number / 24 % 48 * 500_000,
        };
        let name = names::county(&mut self.random);
        let mut county = self.area(None, "county", name, corner, head_office);
        if number == 0 {
            self.branch(head_office, None, "head_office", "样例农村商业银行".to_owned(), &county);
        }
        if has_own_branch {
            county.branch_id = self.branch_id();
            self.branch(&county.branch_id, Some(head_office), "branch", format!("{}支行", county.name), &county);
        }
        for (place, &quota) in quotas.iter().enumerate() {
            let register = self.township(place as i64, quota, &county);
            county.register = county.register.plus(register);
        }
        self.layout.areas.push(county);
    }

    fn township(&mut self, place: i64, quota: i64, county: &Area) -> Register {
        let is_county_town = place == 0;
        let stem = names::township_stem(&mut self.random);
        let name = format!("{stem}{}", if is_county_town { "镇" } else { "乡" });
        let centre = county.centre.moved(place % 4 * 110_000, place / 4 * 110_000);
        let branch_id = self.branch_id();
        let mut township = self.area(Some(&county.id), "township", name, centre, &branch_id);
        self.branch(&branch_id, Some(&county.branch_id), "sub_branch", format!("{stem}支行"), &township);
        let plans = self.plan(quota, is_county_town);
        // A huge branch spreads in both directions, or it would leave the map.
        let across = if self.setting.shape == Shape::HugeBranch { plans.len().isqrt() as i64 + 1 } else { 5 };
        for (place, plan) in (0..).zip(&plans) {
            let register = self.leaf((place % across, place / across), plan, &township);
            township.register = township.register.plus(register);
        }
        let register = township.register;
        self.layout.areas.push(township);
        register
    }

    /// The communities of a township first, then its villages, until all its households have a place.
    fn plan(&mut self, quota: i64, is_county_town: bool) -> Vec<AreaPlan> {
        let (mut plans, mut first_grids, mut rest) = (Vec::new(), Vec::new(), quota);
        if is_county_town && quota >= 600 {
            first_grids.push((GridKind::IndustrialPark, self.random.between(12, 35)));
            first_grids.push((GridKind::Campus, self.random.between(10, 25)));
        }
        if is_county_town && quota >= 2_000 {
            first_grids.push((GridKind::BusinessDistrict, self.random.between(105, 250)));
        }
        rest -= first_grids.iter().map(|(_, size)| size).sum::<i64>();
        let urban_share = if is_county_town { 45 } else { 15 };
        let mut urban = rest * urban_share / 100;
        urban = if urban < 210 { 0 } else { urban };
        rest -= urban;
        while urban > 0 {
            let count = self.random.weighted(&[(3, 1), (4, 2), (3, 3)]);
            let mut grids = self.take_grids(&mut urban, count, GridKind::Community);
            grids.append(&mut first_grids);
            plans.push(AreaPlan { is_village: false, grids });
        }
        while rest > 0 {
            let count = self.random.weighted(&[(14, 1), (5, 2), (1, 3)]);
            let mut grids = self.take_grids(&mut rest, count, GridKind::Village);
            if self.random.chance(20) {
                grids.push((GridKind::Village, 0));
            }
            plans.push(AreaPlan { is_village: true, grids });
        }
        if quota >= 600 && self.random.chance(700) {
            plans.push(AreaPlan { is_village: true, grids: Vec::new() });
        }
        plans
    }

    fn take_grids(&mut self, rest: &mut i64, count: i64, kind: GridKind) -> Vec<(GridKind, i64)> {
        let is_small_bank = self.setting.households < 10_000;
        let (low, high) = match (kind, is_small_bank) {
            (GridKind::Community, _) => (210, 420),
            (_, true) => (105, 215),
            (_, false) => (105, 380),
        };
        let mut grids = Vec::new();
        while *rest > 0 && (grids.len() as i64) < count {
            let drawn = self.random.between(low, high);
            let size = match *rest {
                all if all <= high => all,
                // Never leave a remainder that is too small for a grid.
                all if all - drawn < low => all / 2,
                _ => drawn,
            };
            grids.push((kind, size));
            *rest -= size;
        }
        grids
    }

    /// A village or community and its grids, at its place in the township's lattice.
    fn leaf(&mut self, (column, line): (i64, i64), plan: &AreaPlan, township: &Area) -> Register {
        let (level, name) = if plan.is_village {
            ("village", names::village(&mut self.random))
        } else {
            ("community", names::community(&mut self.random))
        };
        let (east, north) = (self.random.between(-3_000, 3_000), self.random.between(-3_000, 3_000));
        let centre = township.centre.moved(column * 20_000 + east, line * 20_000 + north);
        let mut area = self.area(Some(&township.id), level, name, centre, &township.branch_id);
        for (place, &(kind, size)) in plan.grids.iter().enumerate() {
            self.grid(kind, size, place as i64, &area);
        }
        let counted: i64 = plan.grids.iter().map(|(_, size)| size).sum();
        // Some of the households have left; a register now and then counts quite other ones.
        let percent = if self.random.chance(80) { self.random.pick(&[84, 112]) } else { self.random.between(95, 99) };
        let households = if counted == 0 { self.random.between(30, 90) } else { (counted * percent / 100).max(1) };
        let (land_low, land_high) = if plan.is_village { (20_000, 120_000) } else { (3_000, 20_000) };
        area.register = Register {
            households,
            population: households * self.random.between(27, 35) / 10,
            land: self.random.between(land_low, land_high),
        };
        let register = area.register;
        self.layout.areas.push(area);
        register
    }

    fn grid(&mut self, kind: GridKind, size: i64, place: i64, area: &Area) {
        let (setting, random) = (self.setting, &mut self.random);
        let number = self.layout.grids.len() as i64 + 1;
        let months = random.weighted(&[(60, 26), (25, 14), (15, 2)]) + random.between(0, 9);
        let is_planned = size == 0;
        let joined_on = if is_planned {
            setting.as_of.months_later(2)
        } else {
            Date(setting.as_of.months_earlier(months as u32).0 - random.between(0, 25) as i32)
        };
        let settlements: &[Option<&str>] = match kind {
            GridKind::Community => &[Some("autonomous"), Some("unit"), Some("property_managed"), None],
            GridKind::Village => &[Some("dispersed"), Some("dispersed"), Some("dispersed"), None],
            _ => &[None, Some("unit"), Some("property_managed")],
        };
        let before_history = Date(joined_on.0.min(setting.history_from.0) - random.between(10, 90) as i32);
        self.layout.grids.push(Grid {
            id: id('G', number, setting.widths.grid),
            number,
            branch_id: area.branch_id.clone(),
            area_id: area.id.clone(),
            kind,
            settlement: random.pick(settlements),
            name: format!("{}第{}网格", area.name, place + 1),
            joined_on,
            valid_from: if is_planned { joined_on } else { before_history },
            valid_to: None,
            first_household: self.next_household,
            size,
            centre: area.centre.moved(place * 9_000, place * 4_000),
            follows_in_area: place > 0,
            flaw: Flaw::None,
            crew: Crew::default(),
        });
        self.next_household += size;
    }

    /// An area whose register is still to be counted.
    fn area(
        &mut self,
        parent: Option<&str>,
        level: &'static str,
        name: String,
        centre: Position,
        branch_id: &str,
    ) -> Area {
        let number = self.next_area;
        self.next_area += 1;
        Area {
            id: id('A', number, self.setting.widths.area),
            parent_id: parent.map(str::to_owned),
            level,
            name,
            register: Register::default(),
            has_land: self.random.chance(980),
            centre,
            branch_id: branch_id.to_owned(),
        }
    }

    fn branch(&mut self, id: &str, parent: Option<&str>, level: &'static str, name: String, area: &Area) {
        let opened_on = self.setting.days_before(self.random.between(3_000, 9_000));
        self.layout.branches.push(Branch {
            id: id.to_owned(),
            parent_id: parent.map(str::to_owned),
            level,
            name,
            area_id: area.id.clone(),
            opened_on,
            closed_on: None,
            position: area.centre.moved(1_500, -1_200),
        });
    }

    /// One village grid with each flaw in every few hundred grids; the first ones close together, so that a small bank
    /// has them too.
    fn flaw_grids(&mut self) {
        let ended_on = self.setting.days_before(75);
        let mut closed = Vec::new();
        for block in self.layout.grids.chunks_mut(FLAWS_EVERY_GRIDS) {
            let mut wanted = FLAWS.to_vec();
            let (mut villages, mut before) = (0, None);
            for grid in block.iter_mut() {
                if grid.kind == GridKind::Village && grid.size > 0 {
                    let fits = |(from, flaw): &(i64, Flaw)| *from <= villages && flaw.fits(grid, before.as_deref());
                    if let Some(position) = wanted.iter().position(fits) {
                        grid.flaw = wanted.remove(position).1;
                    }
                    villages += 1;
                }
                if grid.kind == GridKind::Campus && villages == 0 {
                    grid.flaw = Flaw::Ended;
                    grid.valid_to = Some(ended_on);
                }
                if grid.flaw == Flaw::ClosedBranch {
                    closed.push(grid.number);
                }
                before = (grid.flaw == Flaw::None).then(|| grid.branch_id.clone());
            }
        }
        for number in closed {
            self.close_branch(number);
        }
    }

    /// An old outlet that was closed, and one grid that nobody has handed on since.
    fn close_branch(&mut self, grid_number: i64) {
        let branch_id = self.branch_id();
        let Some(grid) = self.layout.grids.get_mut(grid_number as usize - 1) else { return };
        let parent_id = std::mem::replace(&mut grid.branch_id, branch_id.clone());
        self.layout.branches.push(Branch {
            id: branch_id,
            parent_id: Some(parent_id),
            level: "sub_branch",
            name: format!("{}分理处", grid.name),
            area_id: grid.area_id.clone(),
            opened_on: self.setting.days_before(6_000),
            closed_on: Some(self.setting.days_before(200)),
            position: grid.centre,
        });
    }

    /// A branch that opens after the as-of date and has no grid yet.
    fn plan_branch(&mut self, head_office: &str) {
        let branch_id = self.branch_id();
        let Some(first) = self.layout.branches.first() else { return };
        let planned = Branch {
            id: branch_id,
            parent_id: Some(head_office.to_owned()),
            level: "sub_branch",
            name: "新区支行".to_owned(),
            area_id: first.area_id.clone(),
            opened_on: self.setting.days_after(90),
            closed_on: None,
            position: first.position.moved(20_000, 20_000),
        };
        self.layout.branches.push(planned);
    }

    fn branch_id(&mut self) -> String {
        self.next_branch += 1;
        id('B', self.next_branch - 1, self.setting.widths.branch)
    }
}

impl Layout {
    pub fn write(&self, tables: &mut Tables) {
        for area in &self.areas {
            let rows = tables.areas.text(area.id.as_str()).text(area.parent_id.as_deref()).text(area.level);
            rows.text(area.name.as_str()).bool(area.level != "community");
            let register = area.register;
            rows.count(register.population).count(register.population * 82 / 100).count(register.households);
            rows.decimal(area.has_land.then_some(register.land));
        }
        for branch in &self.branches {
            let rows = tables.branches.text(branch.id.as_str()).text(branch.parent_id.as_deref()).text(branch.level);
            rows.text(branch.name.as_str()).text(branch.area_id.as_str());
            rows.date(branch.opened_on).date(branch.closed_on).position(Some(branch.position));
        }
        for grid in &self.grids {
            let rows = tables.grids.text(grid.id.as_str()).text(grid.branch_id.as_str()).text(grid.area_id.as_str());
            rows.text(grid.kind.word()).text(grid.settlement).text(grid.name.as_str());
            rows.date(grid.joined_on).date(grid.valid_from).date(grid.valid_to);
        }
    }
}
