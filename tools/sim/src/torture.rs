//! The journal and the snapshots under attack: every cut of the power, and every way in which bytes rot.
//!
//! What is attacked is production code only: `journal::Local`, `journal::scan`, `shard::recover` and
//! `views::SnapshotStore`, on a disk in memory ([`ram`]). Three questions are asked of every image of a disk:
//!
//! - *After a cut of the power* ([`cuts`]): does recovery hold everything that was acknowledged, and nothing that was
//!   never written? Does the journal go on, and does the next recovery have both?
//! - *After rot* ([`rot`] for journals, [`snapshots`]): is the damage named? An error names it with file and offset;
//!   a verdict or a damaged snapshot in the report does when the content is the true one. A content that
//!   differs is a failure even when something was said.
//! - *Always*: does nothing panic?
//!
//! [`outcome`] says what counts as what. [`attack`] runs the classes of images on all cores, all of them or a seeded
//! sample, of [`everything`]. Journals of at least 1 MiB in all are made of many small directories ([`specimen`]), each with several
//! segments and terms, so that one recovery takes microseconds and every single bit can have its own.

pub mod attack;
pub mod cuts;
pub mod everything;
pub mod outcome;
pub mod ram;
pub mod rot;
pub mod snapshots;
pub mod specimen;
pub mod tape;
