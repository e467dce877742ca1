//! `onrush`: see `onrush --help`.

use std::process::ExitCode;

/// Threads allocate and free across each other here; mimalloc was made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    onrush::cli::run()
}
