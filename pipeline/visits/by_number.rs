//! Values by the number of what they are of: in a list where the numbers lie close together, as those of a branch's
//! households mostly do, in a map where they do not.

use hashbrown::HashMap;

/// A value for each number that was asked for; those that nobody touched are the default.
#[derive(Debug, Default)]
pub(super) struct ByNumber<T> {
    first: u32,
    /// Empty where the values are in `far`.
    near: Vec<T>,
    far: HashMap<u32, T>,
}

impl<T: Clone + Default> ByNumber<T> {
    /// For these numbers and no others. A list may have as many places as there are numbers, some of them equal.
    pub fn of(numbers: impl Iterator<Item = u32> + Clone) -> ByNumber<T> {
        let least_and_most = |ends: Option<(u32, u32)>, number: u32| {
            ends.map_or((number, number), |(least, most)| (number.min(least), number.max(most)))
        };
        let mut ends = None;
        let mut count = 0;
        for number in numbers {
            ends = Some(least_and_most(ends, number));
            count += 1;
        }
        let Some((first, last)) = ends else { return ByNumber::default() };
        let places = (last - first) as usize + 1;
        let near = if places <= count { vec![T::default(); places] } else { Vec::new() };
        ByNumber { first, near, far: HashMap::new() }
    }

    /// The value of a number.
    pub fn of_number(&mut self, number: u32) -> Option<&mut T> {
        if self.near.is_empty() {
            return Some(self.far.entry(number).or_default());
        }
        self.near.get_mut(number.checked_sub(self.first)? as usize)
    }

    /// The values that are not the default any more, with their numbers.
    pub fn touched(self) -> impl Iterator<Item = (u32, T)>
    where
        T: PartialEq,
    {
        let near = (self.first..).zip(self.near);
        near.chain(self.far).filter(|(_, value)| *value != T::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(numbers: &[u32]) -> (bool, Vec<(u32, u32)>) {
        let mut counts = ByNumber::of(numbers.iter().copied());
        for &number in numbers {
            *counts.of_number(number).unwrap() += 1;
        }
        let is_near = !counts.near.is_empty();
        let mut counts: Vec<(u32, u32)> = counts.touched().collect();
        counts.sort_unstable();
        (is_near, counts)
    }

    #[test]
    fn values_are_the_same_in_a_list_and_in_a_map() {
        assert_eq!(counted(&[7, 9, 7]), (true, vec![(7, 2), (9, 1)]));
        assert_eq!(counted(&[7, 10, 7]), (false, vec![(7, 2), (10, 1)]));
        assert_eq!(counted(&[0, u32::MAX, 0]), (false, vec![(0, 2), (u32::MAX, 1)]));
        assert_eq!(counted(&[u32::MAX]), (true, vec![(u32::MAX, 1)]));
        assert_eq!(counted(&[]), (false, vec![]));
    }
}
