//! The bank, its branches and areas under the codes by which the regulator knows them, and the code list that says what
//! each is part of.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};

use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::contract::Contract;
use crate::fault::Result;
use crate::indicators::{Node, Place};
use crate::outputs::batch;
use crate::rulebook::indicators::Level;

/// One entry of the code list, in the order of the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RefArea {
    pub code: String,
    pub level: Level,
    /// The code of what it is part of; None for the bank.
    pub parent: Option<String>,
    pub name: String,
}

pub(super) fn places(nodes: &[Node], tables: &Tables, bank: &str) -> Vec<RefArea> {
    let codes = codes(nodes);
    let by_place = |wanted: Place| nodes.iter().position(|node| node.place == wanted);
    let code_of_bank = by_place(Place::Bank).and_then(|bank| codes.get(bank));
    let by_area: BTreeMap<usize, &String> = nodes
        .iter()
        .zip(&codes)
        .filter_map(|(node, code)| match node.place {
            Place::Area(area) => Some((area, code)),
            Place::Bank | Place::Branch(_) => None,
        })
        .collect();
    let place = |(node, code): (&Node, &String)| {
        let (parent, name) = match node.place {
            Place::Bank => (None, bank),
            Place::Branch(branch) => (code_of_bank, tables.branches.name.text(branch)),
            Place::Area(area) => {
                let above = tables.areas.parent_area_id.get(area);
                let parent = above.and_then(|above| by_area.get(&above).copied()).or(code_of_bank);
                (parent, tables.areas.name.text(area))
            }
        };
        RefArea { code: code.clone(), level: node.level, parent: parent.cloned(), name: name.to_owned() }
    };
    nodes.iter().zip(&codes).map(place).collect()
}

/// A node's code is its identifier; nodes that share one bear their level before it. A code with a level can itself be
/// somebody's identifier, so that whoever shares it gets a level too, until all codes differ.
fn codes(nodes: &[Node]) -> Vec<String> {
    let mut has_level = vec![false; nodes.len()];
    loop {
        let codes: Vec<String> = nodes
            .iter()
            .zip(&has_level)
            .map(
                |(node, has_level)| {
                    if *has_level { format!("{}:{}", node.level.name(), node.id) } else { node.id.clone() }
                },
            )
            .collect();
        let mut bearers: BTreeMap<&str, usize> = BTreeMap::new();
        codes.iter().for_each(|code| *bearers.entry(code).or_default() += 1);
        let mut is_settled = true;
        for (code, has_level) in codes.iter().zip(&mut has_level) {
            if !*has_level && bearers.get(code.as_str()).is_some_and(|bearers| *bearers > 1) {
                *has_level = true;
                is_settled = false;
            }
        }
        if is_settled {
            return codes;
        }
    }
}

/// `ref_areas.csv`.
pub(super) fn code_list(places: &[RefArea], contract: &Contract) -> Result<RecordBatch> {
    let text = |of: fn(&RefArea) -> Option<&str>| Arc::new(places.iter().map(of).collect::<StringArray>());
    let columns = vec![
        text(|place| Some(&place.code)) as _,
        text(|place| Some(place.level.name())) as _,
        text(|place| place.parent.as_deref()) as _,
        text(|place| Some(&place.name)) as _,
    ];
    batch(contract, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes_of(nodes: &[(Level, &str)]) -> Vec<String> {
        let node = |&(level, id): &(Level, &str)| Node { level, id: id.into(), place: Place::Area(0), slot: 0 };
        codes(&nodes.iter().map(node).collect::<Vec<_>>())
    }

    #[test]
    fn an_identifier_of_its_own_is_the_code() {
        let nodes = [(Level::Bank, "bank"), (Level::Branch, "B1"), (Level::Village, "V1")];
        assert_eq!(codes_of(&nodes), ["bank", "B1", "V1"]);
    }

    #[test]
    fn those_who_share_an_identifier_all_bear_their_level() {
        let nodes = [(Level::Bank, "bank"), (Level::Branch, "1"), (Level::Branch, "bank"), (Level::County, "1")];
        assert_eq!(codes_of(&nodes), ["bank:bank", "branch:1", "branch:bank", "county:1"]);
    }

    #[test]
    fn a_code_with_a_level_is_not_taken_for_an_identifier() {
        let nodes = [(Level::Branch, "1"), (Level::County, "1"), (Level::Village, "branch:1")];
        assert_eq!(codes_of(&nodes), ["branch:1", "county:1", "village:branch:1"]);
    }
}
