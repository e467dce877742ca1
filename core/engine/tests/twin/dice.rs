//! Choices out of one number.

/// A number whose digits are rolled one after the other.
pub(crate) struct Dice(u128);

impl Dice {
    pub(crate) fn new(number: u128) -> Dice {
        Dice(number)
    }

    /// From 0 to `sides` − 1.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        let sides = u128::from(sides);
        let rolled = self.0 % sides;
        self.0 /= sides;
        u64::try_from(rolled).unwrap()
    }

    /// True once in `sides` times.
    pub(crate) fn once_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == sides - 1
    }

    pub(crate) fn roll_u16(&mut self, sides: u16) -> u16 {
        u16::try_from(self.roll(sides.into())).unwrap()
    }

    pub(crate) fn roll_u32(&mut self, sides: u32) -> u32 {
        u32::try_from(self.roll(sides.into())).unwrap()
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let index = self.roll(u64::try_from(from.len()).unwrap());
        from[usize::try_from(index).unwrap()].clone()
    }
}
