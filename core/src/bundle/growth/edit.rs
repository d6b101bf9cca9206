//! The smallest changes of a bundle. Doing one gives the one that takes it back.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::GrowthError;
use super::content::{Column, Content, Row};

/// A change. Places count from 0 at the time when it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Edit {
    InsertRows {
        at: usize,
        rows: Vec<Row>,
    },
    RemoveRows {
        at: usize,
        count: usize,
    },
    /// Gives rows that show `from` to `to`; nobody is a whale without a name.
    Relabel {
        rows: Vec<usize>,
        from: Option<u32>,
        to: Option<u32>,
    },
    /// Individuals from `at` on move up by one.
    InsertName {
        at: u32,
        name: String,
    },
    /// The individual must have neither row nor column; those behind it move down by one.
    RemoveName {
        at: u32,
    },
    Rename {
        at: u32,
        name: String,
    },
    InsertColumns {
        at: usize,
        columns: Vec<Column>,
    },
    RemoveColumns {
        at: usize,
        count: usize,
    },
    /// Gives columns of `from` to `to`.
    GiveColumns {
        columns: Vec<usize>,
        from: u32,
        to: u32,
    },
}

type Done = core::result::Result<Edit, GrowthError>;

const fn unfit(reason: &'static str) -> GrowthError {
    GrowthError::Edit { reason }
}

impl Content {
    /// Does `edit` and returns its inverse.
    ///
    /// # Errors
    /// [`GrowthError::Edit`] when it does not fit; the content is then as it was.
    pub(super) fn apply(&mut self, edit: Edit) -> Done {
        match edit {
            Edit::InsertRows { at, rows } => self.insert_rows(at, rows),
            Edit::RemoveRows { at, count } => {
                let rows = drain(&mut self.rows, at, count).ok_or(unfit("a row is missing"))?;
                Ok(Edit::InsertRows { at, rows })
            }
            Edit::Relabel { rows, from, to } => self.relabel(rows, from, to),
            Edit::InsertName { at, name } => self.insert_name(at, name),
            Edit::RemoveName { at } => self.remove_name(at),
            Edit::Rename { at, name } => {
                let place = self.names.get_mut(at as usize);
                let place = place.ok_or(unfit("an individual is missing"))?;
                let name = core::mem::replace(place, name);
                Ok(Edit::Rename { at, name })
            }
            Edit::InsertColumns { at, columns } => self.insert_columns(at, columns),
            Edit::RemoveColumns { at, count } => {
                let columns = drain(&mut self.columns, at, count);
                let columns = columns.ok_or(unfit("a column is missing"))?;
                Ok(Edit::InsertColumns { at, columns })
            }
            Edit::GiveColumns { columns, from, to } => self.give_columns(columns, from, to),
        }
    }

    fn knows(&self, individual: u32) -> bool {
        (individual as usize) < self.names.len()
    }

    fn insert_rows(&mut self, at: usize, rows: Vec<Row>) -> Done {
        let fits = |row: &Row| {
            let known = row.photo.individual.is_none_or(|one| self.knows(one));
            known && row.feature.codes.len() == self.dimension
        };
        if at > self.rows.len() || !rows.iter().all(fits) {
            return Err(unfit("a row is of another model or individual"));
        }
        let count = rows.len();
        self.rows.splice(at..at, rows);
        Ok(Edit::RemoveRows { at, count })
    }

    fn relabel(&mut self, rows: Vec<usize>, from: Option<u32>, to: Option<u32>) -> Done {
        let label = |&row: &usize| self.rows.get(row).map(|row| row.photo.individual);
        if !rows.iter().all(|row| label(row) == Some(from)) || to.is_some_and(|to| !self.knows(to))
        {
            return Err(unfit("a row has another label"));
        }
        for &row in &rows {
            self.rows[row].photo.individual = to;
        }
        Ok(Edit::Relabel {
            rows,
            from: to,
            to: from,
        })
    }

    fn insert_name(&mut self, at: u32, name: String) -> Done {
        if at as usize > self.names.len() {
            return Err(unfit("an individual is missing"));
        }
        self.move_individuals(at, |individual| individual + 1);
        self.names.insert(at as usize, name);
        Ok(Edit::RemoveName { at })
    }

    fn remove_name(&mut self, at: u32) -> Done {
        let has_row = self.rows.iter().any(|row| row.photo.individual == Some(at));
        if !self.knows(at) || has_row || !self.columns_of(at).is_empty() {
            return Err(unfit("an individual is missing or in use"));
        }
        let name = self.names.remove(at as usize);
        self.move_individuals(at, |individual| individual - 1);
        Ok(Edit::InsertName { at, name })
    }

    /// Renumbers the individuals from `at` on.
    fn move_individuals(&mut self, at: u32, moved: impl Fn(u32) -> u32) {
        let rows = self.rows.iter_mut();
        let of_rows = rows.filter_map(|row| row.photo.individual.as_mut());
        let of_columns = self.columns.iter_mut().map(|column| &mut column.individual);
        for individual in of_rows.chain(of_columns) {
            if *individual >= at {
                *individual = moved(*individual);
            }
        }
    }

    fn insert_columns(&mut self, at: usize, columns: Vec<Column>) -> Done {
        let fits = |column: &Column| {
            let widths = column.parts.iter().map(|part| part.weight.codes.len());
            self.knows(column.individual) && widths.eq(self.widths.iter().copied())
        };
        if at > self.columns.len() || !columns.iter().all(fits) {
            return Err(unfit("a column is of another model or individual"));
        }
        let count = columns.len();
        self.columns.splice(at..at, columns);
        Ok(Edit::RemoveColumns { at, count })
    }

    fn give_columns(&mut self, columns: Vec<usize>, from: u32, to: u32) -> Done {
        let owner = |&column: &usize| self.columns.get(column).map(|column| column.individual);
        if !self.knows(to) || !columns.iter().all(|column| owner(column) == Some(from)) {
            return Err(unfit("a column has another individual"));
        }
        for &column in &columns {
            self.columns[column].individual = to;
        }
        Ok(Edit::GiveColumns {
            columns,
            from: to,
            to: from,
        })
    }
}

/// `count` items from `at` on, taken out; `None` where there are not as many.
fn drain<T>(items: &mut Vec<T>, at: usize, count: usize) -> Option<Vec<T>> {
    let end = at.checked_add(count).filter(|&end| end <= items.len())?;
    Some(items.drain(at..end).collect())
}
