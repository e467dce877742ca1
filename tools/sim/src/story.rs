//! What happened, line by line: hashed always, printed when asked for, its end kept for a failure.

use std::collections::VecDeque;

const LINE_COUNT_KEPT: usize = 60;

/// The story of a run.
#[derive(Debug)]
pub struct Story {
    step: u64,
    hash: u64,
    prints: bool,
    end: VecDeque<String>,
}

impl Story {
    /// A story that is printed as it goes, or not.
    pub fn new(prints: bool) -> Story {
        Story { step: 0, hash: 0xCBF2_9CE4_8422_2325, prints, end: VecDeque::new() }
    }

    /// The next step begins.
    pub fn begin_step(&mut self) {
        self.step += 1;
    }

    /// Which step it is, from 1.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The next line.
    pub fn tell(&mut self, line: &str) {
        let line = format!("{:>5}  {line}", self.step);
        self.hash_in(&line);
        if self.prints {
            println_to_people(&line);
        }
        if self.end.len() == LINE_COUNT_KEPT {
            self.end.pop_front();
        }
        self.end.push_back(line);
    }

    /// A number that two runs have in common only if all their lines are the same.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The last lines.
    pub fn end(&self) -> Vec<String> {
        self.end.iter().cloned().collect()
    }

    /// FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo, 1991).
    fn hash_in(&mut self, line: &str) {
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}

#[expect(clippy::print_stdout, reason = "the trace is what this command prints")]
fn println_to_people(line: &str) {
    println!("{line}");
}
