//! How long work tells how far it is.

/// Hears of work as it goes on; from one thread at a time unless said otherwise.
pub trait Progress: Sync {
    /// A task of `total` steps begins; the one before is over.
    fn begin(&self, task: &str, total: usize);
    /// `done` steps of the task are done; may come from several threads.
    fn advance(&self, done: usize);
    /// Something worth a line.
    fn note(&self, text: &str);
}

/// Says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _task: &str, _total: usize) {}
    fn advance(&self, _done: usize) {}
    fn note(&self, _text: &str) {}
}
