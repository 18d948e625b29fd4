//! Who is under public notice (`tables.md`): white-listed households that agreed to be named and whose grade a person
//! accepted or adjusted, from the first night on which all of that holds with that grade, for as long as the rulebook
//! says. The only place where a name is read, and it leaves masked.

use crate::calendar::Date;
use crate::clean::typed::Rows as _;
use crate::grade::Rank;
use crate::limit::credit_list::CreditList;
use crate::previous::NoticeDays;

use super::Rated;

/// Stands for every character of a name but the first.
const MASK: char = '＊';

/// One running notice; key (area, household).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicNotice {
    /// Number in the register.
    pub household: usize,
    pub masked_name: String,
    pub final_rank: Rank,
    pub days: NoticeDays,
}

/// The notices that run on the as-of date; in the order of the register.
pub fn notices(rated: &Rated) -> Vec<PublicNotice> {
    let numbers = 0..rated.register.len();
    let listed = numbers.filter_map(|household| {
        let final_rank = noticed_rank(rated, household)?;
        let days = days(rated, household, final_rank)?;
        let name = rated.tables.households.head_name.text(rated.register.row(household));
        Some(PublicNotice { household, masked_name: masked(name), final_rank, days })
    });
    listed.collect()
}

/// The final grade of a household for which everything holds that a notice asks for.
fn noticed_rank(rated: &Rated, household: usize) -> Option<Rank> {
    let outcome = rated.decided.finals.get(household)?;
    let action = outcome.decision.as_ref()?.action;
    let is_white = rated.lists.get(household)?.0 == CreditList::White;
    let consents = rated.tables.households.notice_consent.get(rated.register.row(household)) == Some(true);
    (is_white && consents && action.approves()).then_some(outcome.rank)
}

/// A new notice begins tonight; one that the previous run had goes on with its days until they are over.
fn days(rated: &Rated, household: usize, final_rank: Rank) -> Option<NoticeDays> {
    let as_of: Date = rated.register.as_of;
    let earlier = rated.earlier.get(household).copied().flatten();
    let noticed_before = earlier.and_then(|earlier| earlier.noticed_grade.as_deref());
    let days = if noticed_before == Some(rated.ranks.name(final_rank)) {
        let id = rated.tables.households.household_id.text(rated.register.row(household));
        *rated.previous.notices.get(id)?
    } else {
        NoticeDays { from: as_of, until: as_of.days_later(rated.rulebook.conduct.notice_days) }
    };
    (as_of < days.until).then_some(days)
}

/// The first character, then one mask for each other, at least one.
fn masked(name: &str) -> String {
    let mut letters = name.trim().chars();
    let first = letters.next();
    let others = letters.count().max(1);
    first.into_iter().chain(std::iter::repeat_n(MASK, others)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_first_character() {
        assert_eq!(masked("李"), "李＊");
        assert_eq!(masked("李明"), "李＊");
        assert_eq!(masked("欧阳明华"), "欧＊＊＊");
        assert_eq!(masked("Ann Lee"), "A＊＊＊＊＊＊");
        assert_eq!(masked(" 李明 "), "李＊");
    }
}
