//! Commands out of the input, for the engine and its naive twin: they agree fact by fact, refusal by refusal,
//! through snapshot and restore, and every invariant holds. The play is that of `core/engine/tests/twin`.

#[allow(dead_code, unreachable_pub, reason = "the engine's tests use more of it")]
#[path = "../../core/engine/tests/twin/mod.rs"]
mod twin;

/// Longer inputs say nothing that shorter ones do not.
const COMMAND_COUNT_MAX: usize = 64;

/// Sixteen bytes for each command.
pub fn run(input: &[u8]) {
    let numbers = input.chunks(16).take(COMMAND_COUNT_MAX).map(|chunk| {
        let mut bytes = [0; 16];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u128::from_le_bytes(bytes)
    });
    let entropy: Vec<u128> = numbers.collect();
    if entropy.is_empty() {
        return;
    }
    if let Err(story) = twin::run(&entropy) {
        panic!("{story}");
    }
}
