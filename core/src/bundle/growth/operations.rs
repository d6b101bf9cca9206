//! What people ask for, made of edits. An operation is done whole or not at all.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::content::Content;
use super::edit::Edit;
use super::journal::{Did, Entry};
use super::{GrowingBundle, GrowthError};
use crate::gallery::NEW_WHALE;

pub(super) type Result<T> = core::result::Result<T, GrowthError>;

/// A change in the making: a copy of the content, and what takes back what was done to it.
pub(super) struct Work {
    pub(super) content: Content,
    undo: Vec<Edit>,
}

impl Work {
    pub(super) fn on(content: &Content) -> Self {
        Self {
            content: content.clone(),
            undo: Vec::new(),
        }
    }

    pub(super) fn apply(&mut self, edit: Edit) -> Result<()> {
        self.undo.push(self.content.apply(edit)?);
        Ok(())
    }

    /// Takes out items that are not all beside each other.
    fn remove(&mut self, places: &[usize], edit: impl Fn(usize, usize) -> Edit) -> Result<()> {
        let runs = places.chunk_by(|a, b| a + 1 == *b);
        for run in runs.rev() {
            self.apply(edit(run[0], run.len()))?;
        }
        Ok(())
    }

    fn remove_rows(&mut self, places: &[usize]) -> Result<()> {
        self.remove(places, |at, count| Edit::RemoveRows { at, count })
    }
}

impl GrowingBundle {
    /// Takes an individual out, with its photos and its columns.
    ///
    /// # Errors
    /// There is no such individual, or nothing would be left to recognise or to compare with.
    pub fn remove_individual(&mut self, name: &str, date: &str) -> Result<()> {
        let individual = self.individual(name)?;
        let rows = self.content.rows_of(Some(individual));
        let columns = self.content.columns_of(individual);
        let last = |reason| {
            Err(GrowthError::Last {
                name: name.to_string(),
                reason,
            })
        };
        if self.content.names.len() == 1 {
            return last("it is the last individual, and nothing would be left to recognise");
        }
        if rows.len() == self.content.rows.len() {
            return last("the others have no photo, and nothing would be left to compare with");
        }
        if !columns.is_empty() && columns.len() == self.content.columns.len() {
            return last("it is the last that the classifier knows");
        }
        let mut work = Work::on(&self.content);
        work.remove_rows(&rows)?;
        work.remove(&columns, |at, count| Edit::RemoveColumns { at, count })?;
        work.apply(Edit::RemoveName { at: individual })?;
        let did = Did::RemoveIndividual {
            name: name.to_string(),
            photos: rows.len(),
        };
        self.finish(work, did, date);
        Ok(())
    }

    /// Takes a photo out. An imprinted column is made anew out of the whale's other photos.
    ///
    /// # Errors
    /// There is no such photo, or it is the last of its whale.
    pub fn remove_photo(&mut self, file: &str, date: &str) -> Result<()> {
        let rows = &self.content.rows;
        let at = rows.iter().position(|row| row.photo.file == file);
        let at = at.ok_or_else(|| GrowthError::UnknownPhoto {
            file: file.to_string(),
        })?;
        let individual = rows[at].photo.individual;
        let name = individual.map(|one| self.content.names[one as usize].clone());
        if let Some(name) = &name
            && self.content.rows_of(individual).len() == 1
        {
            return Err(GrowthError::LastPhoto {
                file: file.to_string(),
                name: name.clone(),
            });
        }
        let mut work = Work::on(&self.content);
        work.remove_rows(&[at])?;
        self.imprint(&mut work, &individual.into_iter().collect())?;
        let did = Did::RemovePhoto {
            file: file.to_string(),
            individual: name,
        };
        self.finish(work, did, date);
        Ok(())
    }

    /// Makes two individuals one, called `name`: it gets the photos and the columns of `other`, and its
    /// probability is the sum of theirs (see [`MergedColumn`](crate::bundle::MergedColumn)). It stands
    /// where the first of the two stood, since the classifier answers for the first individuals.
    ///
    /// # Errors
    /// One of them does not exist, or they are the same.
    pub fn merge(&mut self, name: &str, other: &str, date: &str) -> Result<()> {
        let [kept, gone] = [self.individual(name)?, self.individual(other)?];
        if kept == gone {
            return Err(GrowthError::SameIndividual {
                name: name.to_string(),
            });
        }
        let photos = self.content.rows_of(Some(gone)).len();
        let (to, from) = (kept.min(gone), kept.max(gone));
        let mut work = Work::on(&self.content);
        let rows = self.content.rows_of(Some(from));
        work.apply(Edit::Relabel {
            rows,
            from: Some(from),
            to: Some(to),
        })?;
        let columns = self.content.columns_of(from);
        work.apply(Edit::GiveColumns { columns, from, to })?;
        work.apply(Edit::RemoveName { at: from })?;
        if to != kept {
            work.apply(Edit::Rename {
                at: to,
                name: name.to_string(),
            })?;
        }
        let did = Did::Merge {
            name: name.to_string(),
            other: other.to_string(),
            photos,
        };
        self.finish(work, did, date);
        Ok(())
    }

    /// Gives an individual another name.
    ///
    /// # Errors
    /// There is no such individual, the name is taken or cannot be one.
    pub fn rename(&mut self, from: &str, to: &str, date: &str) -> Result<()> {
        let at = self.individual(from)?;
        check_name(to)?;
        if self.content.names.iter().any(|name| name == to) {
            return Err(GrowthError::NameTaken {
                name: to.to_string(),
            });
        }
        let mut work = Work::on(&self.content);
        let name = to.to_string();
        work.apply(Edit::Rename { at, name })?;
        let did = Did::Rename {
            from: from.to_string(),
            to: to.to_string(),
        };
        self.finish(work, did, date);
        Ok(())
    }

    /// Takes the last change back, and says what it was.
    ///
    /// # Errors
    /// Nothing was done, or the journal does not fit the bundle.
    pub fn undo(&mut self) -> Result<Did> {
        let last = self.journal.last().ok_or(GrowthError::NothingToUndo)?;
        let mut content = self.content.clone();
        for edit in last.undo.clone() {
            content.apply(edit)?;
        }
        let did = last.did.clone();
        self.content = content;
        self.journal.pop();
        Ok(did)
    }

    pub(super) fn finish(&mut self, work: Work, did: Did, date: &str) {
        self.content = work.content;
        self.journal.push(Entry {
            date: date.to_string(),
            did,
            undo: work.undo.into_iter().rev().collect(),
        });
    }

    fn individual(&self, name: &str) -> Result<u32> {
        let mut names = self.content.names.iter().zip(0..);
        let found = names.find_map(|(known, at)| (known == name).then_some(at));
        found.ok_or_else(|| GrowthError::UnknownIndividual {
            name: name.to_string(),
        })
    }
}

/// Refuses what cannot be an individual's name.
pub(super) fn check_name(name: &str) -> Result<()> {
    let refuse = |reason| {
        Err(GrowthError::Name {
            name: name.to_string(),
            reason,
        })
    };
    match name {
        NEW_WHALE => refuse("it stands for whales without a name"),
        "" => refuse("it is empty"),
        _ if name.trim() != name => refuse("it begins or ends with a space"),
        _ if name.chars().any(char::is_control) => refuse("it has a control character in it"),
        _ => Ok(()),
    }
}
