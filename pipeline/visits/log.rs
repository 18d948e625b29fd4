//! The log of visits, taken in piece by piece; then its branches are checked.

use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;

use crate::calendar::Window;
use crate::clean::Tables;
use crate::contract::Contracts;
use crate::fault::{Error, Result};
use crate::in_order;
use crate::register::Register;
use crate::rulebook::VisitChecks as Rules;

use super::checker::{Checked, Checker};
use super::intake::{PreparedVisits, VisitIntake};
use super::listed::Listed;
use super::recent::RecentVisits;
use super::record::{Meant, Record};
use super::store::{Room, Store};
use super::tallies::VisitTallies;
use super::{Flags, VisitChecks};

const PATROL_MONTHS: u32 = 1;
/// Branches that are checked, and not yet added to the others, for each thread.
const BRANCHES_A_THREAD: usize = 4;

/// The visits that were taken in so far.
pub struct VisitLog {
    intake: Arc<VisitIntake>,
    /// Numbers of devices, in the order in which they first appeared.
    devices: HashMap<String, u32>,
    store: Store,
    listed: Listed,
    recent: RecentVisits,
    visits: u32,
    /// Households of the run, grids and officers.
    sizes: (usize, usize, usize),
}

impl VisitLog {
    /// Before any visit. `tables` holds the households, grids, officers and assignments to which visits refer.
    pub fn begin(
        tables: &Tables,
        register: &Register,
        rules: &Rules,
        contracts: &Contracts,
        room: &Room,
    ) -> Result<VisitLog> {
        let mut branch_sizes = vec![0_u32; tables.branches.rows];
        for number in 0..register.len() {
            if let Some(size) = branch_sizes.get_mut(register.branch(number)) {
                *size += 1;
            }
        }
        Ok(VisitLog {
            intake: Arc::new(VisitIntake::of(tables, register, rules, contracts)?),
            devices: HashMap::new(),
            store: Store::begin(&branch_sizes, room)?,
            listed: Listed::begin(room.for_later()?),
            recent: RecentVisits::begin(room.for_later()?),
            visits: 0,
            sizes: (register.len(), tables.grids.rows, tables.officers.rows),
        })
    }

    /// What prepares visits before they are taken in.
    pub fn intake(&self) -> Arc<VisitIntake> {
        Arc::clone(&self.intake)
    }

    /// Takes the next visits of the log in.
    pub fn take(&mut self, prepared: PreparedVisits) -> Result<()> {
        let PreparedVisits { visits, blocks, others, devices, listed, recent } = prepared;
        let first = self.visits;
        let count = u32::try_from(visits).ok().and_then(|count| first.checked_add(count));
        self.visits = count.ok_or_else(|| Error::internal("more visits than can be counted"))?;
        let devices: Vec<u32> = devices.into_iter().map(|device| self.device(device)).collect();
        let meant = Meant::Within { first, devices: &devices };
        for (branch, record) in others {
            let (number, device) = (meant.number(record.number), meant.device(record.device));
            self.store.push(branch, Record { number, device, ..record })?;
        }
        self.store.take_blocks(first, devices, blocks)?;
        self.recent.push(first, recent)?;
        self.listed.push(listed)
    }

    fn device(&mut self, device: String) -> u32 {
        let next = self.devices.len() as u32;
        *self.devices.entry(device).or_insert(next)
    }

    /// Checks every branch.
    pub fn check(mut self) -> Result<(VisitChecks, VisitTallies)> {
        let places = self.listed.sort()?;
        let intake = &self.intake;
        let checker = Checker {
            rules: &intake.rules,
            places: places.as_deref(),
            officer_branches: &intake.officer_branches,
            recent: intake.recent,
            patrols: Window::months_to(intake.as_of, PATROL_MONTHS),
        };
        let mut flags = vec![Flags::default(); self.visits as usize];
        let (households, grids, officers) = self.sizes;
        let mut tallies = VisitTallies::empty(households, grids, officers);
        for shard in 0..self.store.shards() {
            let branches = self.store.take(shard);
            let store = &self.store;
            // Room for the records of a branch, one after the other.
            let rooms: Mutex<Vec<Vec<Record>>> = Mutex::default();
            let room = || rooms.lock().unwrap_or_else(PoisonError::into_inner);
            let check = |branch: usize| {
                let branch = branches.get(branch).ok_or_else(|| Error::internal("a shard has fewer branches"))?;
                let mut records = room().pop().unwrap_or_default();
                let days = store.by_day(branch, &mut records)?;
                let checked = checker.check(branch.number(), &mut records, &days);
                room().push(records);
                Ok(checked)
            };
            let ahead = rayon::current_num_threads() * BRANCHES_A_THREAD;
            in_order::make_and_take(branches.len(), ahead, check, |_, checked: Result<Checked>| {
                let (of_visits, of_branch) = checked?;
                for (number, of_visit) in of_visits {
                    if let Some(slot) = flags.get_mut(number as usize) {
                        *slot = of_visit;
                    }
                }
                tallies.take(of_branch);
                Ok(())
            })?;
        }
        Ok((VisitChecks { flags, listed: self.listed, recent: self.recent }, tallies))
    }
}
