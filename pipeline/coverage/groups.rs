//! Rows of one table laid together by the group that they belong to: the households and visits of a branch, so that a
//! branch is computed from its own rows and from nothing else.

/// Items by group, each group's in the order in which they came.
#[derive(Debug, Default)]
pub struct Groups {
    /// Where each group begins in `items`; one more at the end.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Groups {
    /// Groups items by their group, a number below `groups`. `members` is walked twice.
    pub fn of<I: Iterator<Item = (usize, u32)>>(groups: usize, members: impl Fn() -> I) -> Groups {
        let mut starts = vec![0_u32; groups + 1];
        for (group, _) in members() {
            if let Some(size) = starts.get_mut(group + 1) {
                *size += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut items = vec![0; sum as usize];
        let mut next = starts.clone();
        for (group, item) in members() {
            if let Some(place) = next.get_mut(group)
                && let Some(slot) = items.get_mut(*place as usize)
            {
                *slot = item;
                *place += 1;
            }
        }
        Groups { starts, items }
    }

    pub fn get(&self, group: usize) -> &[u32] {
        let start = self.starts.get(group).copied().unwrap_or(0) as usize;
        let end = self.starts.get(group + 1).copied().unwrap_or(0) as usize;
        self.items.get(start..end).unwrap_or(&[])
    }

    /// For each item its place within its group; items are numbers below `items`.
    pub fn places(&self, items: usize) -> Vec<u32> {
        let mut places = vec![0; items];
        for group in 0..self.starts.len().saturating_sub(1) {
            for (place, &item) in (0..).zip(self.get(group)) {
                if let Some(slot) = places.get_mut(item as usize) {
                    *slot = place;
                }
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stand_with_their_group_in_the_order_in_which_they_came() {
        let members = [(2, 0), (0, 1), (2, 2), (0, 3)];
        let groups = Groups::of(3, || members.into_iter());
        assert_eq!(groups.get(0), [1, 3]);
        assert_eq!(groups.get(1), [0_u32; 0]);
        assert_eq!(groups.get(2), [0, 2]);
        assert_eq!(groups.get(3), [0_u32; 0]);
        assert_eq!(groups.places(4), [0, 0, 1, 1]);
    }
}
