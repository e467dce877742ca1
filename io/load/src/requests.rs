//! Where the bytes of requests come from.

/// The next request, again and again.
pub trait Requests {
    /// Appends the bytes of one whole HTTP/1.1 request to `out`, which may hold others already. It may not be a `HEAD`,
    /// whose answer has a length and no body.
    fn next(&mut self, out: &mut Vec<u8>);
}

impl<F: FnMut(&mut Vec<u8>)> Requests for F {
    fn next(&mut self, out: &mut Vec<u8>) {
        self(out);
    }
}

/// Which part of a run a thread has: sources of several threads can be told apart, and number their requests so that
/// no number comes twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Which one, from 0.
    pub index: usize,
    /// Of how many.
    pub count: usize,
}

impl Share {
    /// All of it.
    pub const WHOLE: Share = Share { index: 0, count: 1 };

    /// Numbers that no other share of the same run has: all numbers from 0 are in one of them.
    pub fn numbers(self) -> impl Iterator<Item = u64> + use<> {
        (self.index as u64..).step_by(self.count)
    }

    /// This thread's part of so many things.
    pub(crate) fn part(self, whole: u64) -> u64 {
        let (index, count) = (self.index as u64, self.count as u64);
        whole / count + u64::from(index < whole % count)
    }

    pub(crate) fn part_len(self, whole: usize) -> usize {
        whole / self.count + usize::from(self.index < whole % self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_whole_and_have_no_number_in_common() {
        let shares = (0..3).map(|index| Share { index, count: 3 });
        assert_eq!(shares.clone().map(|share| share.part(11)).collect::<Vec<_>>(), [4, 4, 3]);
        assert_eq!(shares.clone().map(|share| share.part_len(7)).sum::<usize>(), 7);
        let mut numbers: Vec<u64> = shares.flat_map(|share| share.numbers().take(4)).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..12).collect::<Vec<_>>());
    }
}
