//! Visits put together by what few of them differ in, a day or a branch, by counting and not by comparing.

/// Places by bucket, in each in their order, and where each bucket ends among them. Every bucket is below `buckets`.
pub(super) fn by_bucket(of: impl Iterator<Item = usize> + Clone, buckets: usize) -> (Vec<u32>, Vec<usize>) {
    let mut ends = vec![0_usize; buckets];
    for bucket in of.clone() {
        if let Some(count) = ends.get_mut(bucket) {
            *count += 1;
        }
    }
    let mut total = 0;
    for end in &mut ends {
        // Each bucket begins where the one before it ends, and ends where its places do once they are there.
        total += std::mem::replace(end, total);
    }
    let mut places = vec![0; total];
    for (at, bucket) in (0..).zip(of) {
        let Some(next) = ends.get_mut(bucket) else { continue };
        if let Some(slot) = places.get_mut(*next) {
            *slot = at;
        }
        *next += 1;
    }
    (places, ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_a_bucket_stand_together_in_their_order() {
        let (places, ends) = by_bucket([3, 0, 4, 1, 3, 0, 4, 3].into_iter(), 5);
        assert_eq!(places, [1, 5, 3, 0, 4, 7, 2, 6]);
        assert_eq!(ends, [2, 3, 3, 6, 8]);
        assert_eq!(by_bucket(std::iter::empty(), 2), (vec![], vec![0, 0]));
    }
}
