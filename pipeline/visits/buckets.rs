//! Visits put together by what few of them differ in, a day or a branch, by counting and not by comparing.

/// Where things go that are to lie together by bucket, in each bucket in the order in which they come.
pub(super) struct Slots {
    /// By bucket the slot of the thing that comes next.
    next: Vec<usize>,
}

impl Slots {
    /// For things of these buckets, each of which is below `buckets`.
    pub fn of(things: impl Iterator<Item = usize>, buckets: usize) -> Slots {
        let mut next = vec![0_usize; buckets];
        for bucket in things {
            if let Some(count) = next.get_mut(bucket) {
                *count += 1;
            }
        }
        let mut total = 0;
        for slot in &mut next {
            // Each bucket begins where the one before it ends.
            total += std::mem::replace(slot, total);
        }
        Slots { next }
    }

    /// The slot of the next thing of a bucket.
    pub fn next(&mut self, bucket: usize) -> Option<usize> {
        let slot = self.next.get_mut(bucket)?;
        *slot += 1;
        Some(*slot - 1)
    }

    /// When everything has its slot: where each bucket ends.
    pub fn ends(self) -> Vec<usize> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_of_a_bucket_stand_together_in_their_order() {
        let things = [3, 0, 4, 1, 3, 0, 4, 3];
        let mut slots = Slots::of(things.into_iter(), 5);
        assert_eq!(things.map(|bucket| slots.next(bucket).unwrap()), [3, 0, 6, 2, 4, 1, 7, 5]);
        assert_eq!(slots.next(5), None);
        assert_eq!(slots.ends(), [2, 3, 3, 6, 8]);
        assert_eq!(Slots::of(std::iter::empty(), 2).ends(), [0, 0]);
    }
}
