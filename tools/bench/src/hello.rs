//! The bare hello: what the HTTP stack costs when nothing is done. The very lane of the server that is measured, with the same
//! options of sockets and connections; it reads whatever body comes and answers with the same bytes every time.

use std::net::SocketAddr;
use std::sync::{Arc, Barrier};
use std::thread;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serve the bare hello.
#[derive(Args)]
pub(crate) struct HelloArgs {
    /// Where; port 0 takes a free one and prints it.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Serves on a thread for each core that it may have until SIGTERM.
///
/// # Errors
/// When the address cannot be had.
pub(crate) fn run(args: &HelloArgs) -> anyhow::Result<()> {
    let thread_count = thread::available_parallelism()?.get();
    let mut address = args.listen;
    let listening = Arc::new(Barrier::new(thread_count + 1));
    let mut threads = Vec::new();
    for number in 0..thread_count {
        let listener = edge::listen(address).with_context(|| format!("cannot listen on {address}"))?;
        address = listener.local_addr()?;
        let listening = listening.clone();
        let builder = thread::Builder::new().name(format!("hello-{number}"));
        threads.push(builder.spawn(move || serve(listener, &listening))?);
    }
    listening.wait();
    println!("listening on http://{address}");
    threads.into_iter().try_for_each(|thread| thread.join().expect("a hello cannot panic"))
}

fn serve(listener: std::net::TcpListener, listening: &Barrier) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let mut end = signal(SignalKind::terminate())?;
        listening.wait();
        tokio::select! {
            failed = edge::hello::hello_loop(listener) => failed.map(|never| match never {})?,
            _ = end.recv() => {}
        }
        Ok(())
    })
}
