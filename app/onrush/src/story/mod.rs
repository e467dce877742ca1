//! Facts in plain words, for people who ask what happened. Says what the journal says, and nothing besides.

#[cfg(test)]
pub(crate) mod house;
mod owner;
mod titles;
mod words;

pub(crate) use owner::Owner;
pub(crate) use titles::Titles;
pub(crate) use words::Words;
