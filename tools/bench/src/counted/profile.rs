//! What callgrind wrote (the format is described in Valgrind's manual, "Callgrind Format Specification").

use std::collections::HashMap;

/// Instructions of a whole run, and how often memory was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Totals {
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

/// The functions of mimalloc that programs call for memory; inside, they call each other.
const ALLOCATOR: &str = "mi_";
const ALLOCATES: [&str; 7] = [
    "mi_malloc",
    "mi_malloc_aligned",
    "mi_zalloc",
    "mi_zalloc_aligned",
    "mi_calloc",
    "mi_realloc",
    "mi_realloc_aligned",
];

/// Reads the sums; `None` when there is no sum of instructions.
pub(crate) fn totals(profile: &str) -> Option<Totals> {
    let mut names = HashMap::new();
    let (mut caller, mut callee) = ("", "");
    let mut allocations = 0;
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            caller = resolve(name, &mut names);
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = resolve(name, &mut names);
        } else if let Some(calls) = line.strip_prefix("calls=")
            && ALLOCATES.contains(&callee)
            && !caller.starts_with(ALLOCATOR)
        {
            allocations += calls.split_whitespace().next()?.parse::<u64>().ok()?;
        }
    }
    let sum = |start| profile.lines().find_map(|line| line.strip_prefix(start));
    let instructions = sum("summary: ").or_else(|| sum("totals: "))?;
    Some(Totals { instructions: instructions.split_whitespace().next()?.parse().ok()?, allocations })
}

/// A name stands as `(number) name` the first time, and as `(number)` from then on.
fn resolve<'a>(text: &'a str, names: &mut HashMap<&'a str, &'a str>) -> &'a str {
    let (number, name) = text.split_once(' ').unwrap_or((text, ""));
    if name.is_empty() {
        return names.get(number).copied().unwrap_or(text);
    }
    // A recursive function has its depth behind a quote.
    let name = name.split('\'').next().unwrap_or(name);
    names.insert(number, name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_is_read_from_either_line() {
        let instructions = |text| totals(text).map(|totals| totals.instructions);
        assert_eq!(instructions("version: 1\nsummary: 123\n"), Some(123));
        assert_eq!(instructions("x\ntotals: 45 6\n"), Some(45));
        assert_eq!(instructions("x\n"), None);
    }

    #[test]
    fn allocations_are_counted_where_the_program_asks_for_them() {
        let profile = "\
fn=(1) main
cfn=(2) mi_malloc_aligned
calls=7 0
0 100
cfn=(3) mi_free
calls=5 0
0 100
fn=(2)
cfn=(4) mi_malloc
calls=7 0
0 10
fn=(5) serve
cfn=(4)
calls=2 0
0 10
summary: 1000
";
        assert_eq!(totals(profile), Some(Totals { instructions: 1_000, allocations: 9 }));
    }
}
