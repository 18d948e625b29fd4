//! Which photos of a branch may be there more than once. Nearly all are there once, and are told so by a look at a few
//! bits; only of the others every one has to be remembered.

use super::record::Photo;

/// Bits for each photo: of photos that are there once, one in eight or fewer shares its bit with another.
const BITS_A_PHOTO: usize = 8;

/// One bit for each photo that may be there more than once, and perhaps for others.
pub(super) struct Repeated {
    bits: Vec<u64>,
    /// How far a photo's number is shifted to give the place of its bit.
    shift: u32,
}

impl Repeated {
    pub fn among(photos: impl Iterator<Item = Photo> + Clone) -> Repeated {
        let bits = (photos.clone().count() * BITS_A_PHOTO).next_power_of_two().max(u64::BITS as usize);
        let words = bits / u64::BITS as usize;
        let mut repeated = Repeated { bits: vec![0; words], shift: u64::BITS - bits.trailing_zeros() };
        let mut once = vec![0_u64; words];
        for photo in photos {
            let (word, bit) = repeated.place(photo);
            if let (Some(once), Some(again)) = (once.get_mut(word), repeated.bits.get_mut(word)) {
                *again |= *once & bit;
                *once |= bit;
            }
        }
        repeated
    }

    /// False only of a photo that is there once.
    pub fn may_have(&self, photo: Photo) -> bool {
        let (word, bit) = self.place(photo);
        self.bits.get(word).is_none_or(|bits| bits & bit != 0)
    }

    fn place(&self, photo: Photo) -> (usize, u64) {
        let place = photo.mixed() >> self.shift;
        ((place / u64::from(u64::BITS)) as usize, 1 << (place % u64::from(u64::BITS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_photo_that_is_there_twice_is_told_and_few_others() {
        let photo = |number: u128| Photo::of(number * 0x1234_5678_9abc_def1 + 1);
        let photos = (0..10_000).chain([3, 77, 9_999, 3]).map(photo);
        let repeated = Repeated::among(photos);
        assert!([3, 77, 9_999].into_iter().all(|number| repeated.may_have(photo(number))));
        assert!((0..10_000).filter(|&number| repeated.may_have(photo(number))).count() < 2_500);
        let same = Repeated::among(std::iter::repeat_n(photo(5), 2));
        assert!(same.may_have(photo(5)));
        assert!(!Repeated::among(std::iter::once(photo(5))).may_have(photo(5)));
        assert!(!Repeated::among(std::iter::empty()).may_have(photo(5)));
    }
}
