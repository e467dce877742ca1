//! The names in the directory: those seen now, and those that are durable.

use std::collections::BTreeMap;

use super::platter::FileId;
use crate::dice::Dice;

#[derive(Clone, Default)]
pub(super) struct Names {
    visible: BTreeMap<String, FileId>,
    durable: BTreeMap<String, FileId>,
    /// What happened since the last sync, in order; each of them happens as a whole or not at all.
    unsynced: Vec<Change>,
}

#[derive(Clone)]
struct Change {
    gone: Option<String>,
    there: Option<(String, FileId)>,
}

impl Names {
    pub(super) fn list(&self) -> Vec<String> {
        self.visible.keys().cloned().collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<FileId> {
        self.visible.get(name).copied()
    }

    pub(super) fn has(&self, file: FileId) -> bool {
        self.visible.values().any(|there| *there == file)
    }

    pub(super) fn create(&mut self, name: &str, file: FileId) {
        self.change(Change { gone: None, there: Some((name.to_owned(), file)) });
    }

    pub(super) fn rename(&mut self, from: &str, to: &str, file: FileId) {
        self.change(Change { gone: Some(from.to_owned()), there: Some((to.to_owned(), file)) });
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.change(Change { gone: Some(name.to_owned()), there: None });
    }

    pub(super) fn sync(&mut self) {
        self.durable.clone_from(&self.visible);
        self.unsynced.clear();
    }

    /// The power went off: each unsynced change is kept or lost. Returns how many were lost.
    pub(super) fn lose(&mut self, dice: &mut Dice) -> u64 {
        let mut lost = 0;
        for change in std::mem::take(&mut self.unsynced) {
            if dice.per_mille(500) {
                change.make(&mut self.durable);
            } else {
                lost += 1;
            }
        }
        self.visible.clone_from(&self.durable);
        lost
    }

    fn change(&mut self, change: Change) {
        change.make(&mut self.visible);
        self.unsynced.push(change);
    }
}

impl Change {
    fn make(&self, names: &mut BTreeMap<String, FileId>) {
        if let Some(name) = &self.gone {
            names.remove(name);
        }
        if let Some((name, file)) = &self.there {
            names.insert(name.clone(), *file);
        }
    }
}
