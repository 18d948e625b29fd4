//! Things that are made side by side and taken one after the other in their order, without waiting for one another: a
//! log's pieces are checked so while those before them are taken in.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::ScopeFifo;
use rayon::prelude::*;

use crate::fault::{Error, Result};

/// Makes `count` things on all threads of the pool and takes them in their order, by one thread at a time. At most
/// `ahead` of them are being made, waiting or being taken. After the first failure of `take` nothing more is made; its
/// error is returned.
pub fn make_and_take<T: Send>(
    count: usize,
    ahead: usize,
    make: impl Fn(usize) -> T + Sync,
    take: impl FnMut(usize, T) -> Result<()> + Send,
) -> Result<()> {
    let line = Line {
        count,
        ahead: ahead.max(1),
        make,
        taker: Mutex::new(Taker { take, outcome: Ok(()) }),
        state: Mutex::new(State { begun: 0, taken: 0, made: BTreeMap::new() }),
    };
    rayon::scope_fifo(|scope| line.begin(scope));
    line.taker.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
}

/// All things that are made side by side, in their order, or the first failure in it. Room for them is taken once: results
/// that are collected as such are put together from many lists.
pub fn all<T: Send>(made: impl IndexedParallelIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let first: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let note = |number: usize, error: Error| {
        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.as_ref().is_none_or(|(earlier, _)| number < *earlier) {
            *first = Some((number, error));
        }
    };
    let made = made.enumerate().map(|(number, made)| made.map_err(|error| note(number, error)).ok());
    let made: Vec<Option<T>> = made.collect();
    match first.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(made.into_iter().map_while(std::convert::identity).collect()),
    }
}

struct Line<T, M, K> {
    count: usize,
    ahead: usize,
    make: M,
    /// Whoever holds it takes.
    taker: Mutex<Taker<K>>,
    state: Mutex<State<T>>,
}

struct Taker<K> {
    take: K,
    outcome: Result<()>,
}

struct State<T> {
    /// How many are made or being made.
    begun: usize,
    taken: usize,
    /// What is made and waits for its turn.
    made: BTreeMap<usize, T>,
}

impl<T: Send, M: Fn(usize) -> T + Sync, K: FnMut(usize, T) -> Result<()> + Send> Line<T, M, K> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins as many as there is room for. No thread ever waits here: one that finds no room has something else to do,
    /// and who makes room begins the next.
    fn begin<'s>(&'s self, scope: &ScopeFifo<'s>) {
        while let Some(number) = self.next() {
            scope.spawn_fifo(move |scope| {
                let made = (self.make)(number);
                self.state().made.insert(number, made);
                self.take(scope);
            });
        }
    }

    fn next(&self) -> Option<usize> {
        let mut state = self.state();
        let number = state.begun;
        let has_room = number < self.count && number - state.taken < self.ahead;
        has_room.then(|| state.begun += 1).map(|()| number)
    }

    /// Takes whatever has its turn, unless another thread does: that one will see what was made meanwhile.
    fn take<'s>(&'s self, scope: &ScopeFifo<'s>) {
        while self.has_turn() {
            let Ok(mut taker) = self.taker.try_lock() else { return };
            while let Some((number, made)) = self.turn() {
                taker.outcome = (taker.take)(number, made);
                if taker.outcome.is_err() {
                    // It counts as not taken and is gone: nothing has its turn any more.
                    return;
                }
                self.state().taken += 1;
                self.begin(scope);
            }
        }
    }

    fn has_turn(&self) -> bool {
        let state = self.state();
        state.made.contains_key(&state.taken)
    }

    fn turn(&self) -> Option<(usize, T)> {
        let mut state = self.state();
        let number = state.taken;
        state.made.remove(&number).map(|made| (number, made))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn things_are_taken_in_their_order_and_few_wait() {
        for (count, ahead) in [(0, 1), (1, 1), (100, 1), (100, 3), (100, 1000)] {
            let (held, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let mut taken = Vec::new();
            let make = |number: usize| {
                most.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                number * 2
            };
            let take = |number: usize, made: usize| {
                assert_eq!(made, number * 2);
                held.fetch_sub(1, Ordering::SeqCst);
                // What is taken may itself be shared among the threads.
                rayon::join(|| taken.push(number), || ());
                Ok(())
            };
            make_and_take(count, ahead, make, take).unwrap();
            assert_eq!(taken, (0..count).collect::<Vec<_>>());
            assert!(most.load(Ordering::SeqCst) <= ahead);
        }
    }

    #[test]
    fn all_are_there_in_their_order_or_the_first_failure_is() {
        let made = |failing: fn(usize) -> bool| {
            all((0..10_000).into_par_iter().map(|number| match failing(number) {
                true => Err(Error::internal(format!("no {number}"))),
                false => Ok(number.to_string()),
            }))
        };
        assert!(made(|_| false).unwrap().iter().enumerate().all(|(number, text)| *text == number.to_string()));
        let told = made(|number| number % 1_000 == 77).unwrap_err();
        assert!(format!("{told:?}").contains("no 77"), "{told:?}");
    }

    #[test]
    fn nothing_is_taken_after_a_failure() {
        let mut taken = 0;
        let made = AtomicUsize::new(0);
        let make = |_| made.fetch_add(1, Ordering::SeqCst);
        let outcome = make_and_take(100, 4, make, |number, _| {
            taken += 1;
            if number == 7 { Err(Error::internal("no more")) } else { Ok(()) }
        });
        assert!(outcome.is_err());
        assert_eq!(taken, 8);
        assert!(made.load(Ordering::SeqCst) <= 11);
    }
}
