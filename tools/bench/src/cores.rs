//! A core for the generator and the others for the servers, where waiting is measured: a buyer's own machine takes no core from
//! the server. Comparisons by CPU time share all cores (ADR 0024), unless somebody wants them apart as well.

use anyhow::Context as _;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The calling thread, which is the generator's, is on the last core alone until this goes out of scope. What it starts meanwhile
/// is there as well, and stays.
pub(crate) struct Apart {
    all: CpuSet,
    own: CpuSet,
}

impl Apart {
    /// Has `start` start servers, which keep all cores but the last. If there is only one, nobody is apart.
    ///
    /// # Errors
    /// Those of `start`; when the kernel does not let a thread say where it runs.
    pub(crate) fn start<T>(start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(Apart, T)> {
        let all = sched_getaffinity(None).context("cannot tell on which cores this runs")?;
        let (others, own) = split(all);
        let apart = Apart { all, own };
        let started = apart.start_on(&others, start)?;
        Ok((apart, started))
    }

    /// Has `start` start something that has all cores.
    ///
    /// # Errors
    /// Those of `start`; when the kernel does not let a thread say where it runs.
    pub(crate) fn start_anywhere<T>(&self, start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.start_on(&self.all, start)
    }

    fn start_on<T>(&self, cores: &CpuSet, start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        move_to(cores)?;
        let started = start()?;
        move_to(&self.own)?;
        Ok(started)
    }
}

/// All but the last, and the last; twice the same if there is only one.
fn split(all: CpuSet) -> (CpuSet, CpuSet) {
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| all.is_set(*core));
    let Some(last) = last.filter(|_| all.count() > 1) else { return (all, all) };
    let (mut others, mut own) = (all, CpuSet::new());
    others.unset(last);
    own.set(last);
    (others, own)
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
    fn last_core_is_the_generators_unless_it_is_the_only_one() {
        let set = |cores: &[usize]| {
            let mut set = CpuSet::new();
            cores.iter().for_each(|core| set.set(*core));
            set
        };
        let last = CpuSet::MAX_CPU - 1;
        for (all, others, own) in
            [(&[0, 1][..], &[0][..], &[1][..]), (&[2, 5, last], &[2, 5], &[last]), (&[3], &[3], &[3])]
        {
            assert_eq!(split(set(all)), (set(others), set(own)), "{all:?}");
        }
    }

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
        let anywhere = apart.start_anywhere(|| Ok(cores())).unwrap();
        assert_eq!(
            (anywhere, cores()),
            (all, own),
            "whoever is no part of it has all cores, and the caller its own again"
        );
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
