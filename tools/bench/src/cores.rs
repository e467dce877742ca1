//! A core for the generator and the others for the servers, where waiting is measured: a buyer's own machine takes no core from
//! the server. Where CPU time is measured, all share all cores.

use anyhow::Context as _;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The calling thread, and what it starts from here on, are on the last core alone; on all that it had when this goes out of scope.
pub(crate) struct Apart {
    all: CpuSet,
}

impl Apart {
    /// Has `start` start servers, which keep all cores but the last. If there is only one, nobody is apart.
    ///
    /// # Errors
    /// Those of `start`; when the kernel does not let a thread say where it runs.
    pub(crate) fn start<T>(start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(Apart, T)> {
        let all = sched_getaffinity(None).context("cannot tell on which cores this runs")?;
        let apart = Apart { all };
        let last = (0..CpuSet::MAX_CPU).rev().find(|core| all.is_set(*core));
        let Some(last) = last.filter(|_| all.count() > 1) else { return Ok((apart, start()?)) };
        let (mut others, mut own) = (all, CpuSet::new());
        others.unset(last);
        own.set(last);
        move_to(&others)?;
        let started = start()?;
        move_to(&own)?;
        Ok((apart, started))
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // It was allowed before.
        let _ = move_to(&self.all);
    }
}

fn move_to(cores: &CpuSet) -> anyhow::Result<()> {
    sched_setaffinity(None, cores).context("cannot move to other cores")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_started_and_who_starts_share_no_core_until_the_end() {
        let cores = || sched_getaffinity(None).unwrap();
        let all = cores();
        let (apart, (started, theirs)) = Apart::start(|| {
            let (end, ended) = std::sync::mpsc::channel();
            let started = std::thread::spawn(move || ended.recv().map(|()| cores()));
            Ok(((started, end), cores()))
        })
        .unwrap();
        let own = cores();
        drop(apart);
        assert_eq!(cores(), all);
        let (started, end) = started;
        end.send(()).unwrap();
        assert_eq!(started.join().unwrap(), Ok(theirs), "what was started stays where it is");
        if all.count() > 1 {
            assert_eq!((own.count(), theirs.count()), (1, all.count() - 1));
            assert!((0..CpuSet::MAX_CPU).all(|core| !own.is_set(core) || !theirs.is_set(core)));
        }
    }

    #[test]
    fn failed_start_leaves_everything_as_it_was() {
        let all = sched_getaffinity(None).unwrap();
        assert!(Apart::start(|| -> anyhow::Result<()> { anyhow::bail!("no such program") }).is_err());
        assert_eq!(sched_getaffinity(None).unwrap(), all);
    }
}
