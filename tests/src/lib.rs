//! What the tests across crates share: the fixture that `cargo xtask test` prepares, the real server, a browser, and
//! the page as a person sees it.

mod chromedriver;
mod fixture;
mod page;
mod server;

pub use chromedriver::Chromedriver;
pub use fixture::{Fixture, MODEL, PLAIN};
pub use page::{Page, Screen, Shown, ShownCandidate};
pub use server::Server;
