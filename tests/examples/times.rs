//! Prints how long the page takes for a photo on each backend, bytes to answer, as the page says it.
//!
//! `cargo run --release -p flukeprint-tests --example times`, with the environment of `cargo xtask test`.

use std::path::Path;

use anyhow::{Context, Result};
use flukeprint_tests::{Chromedriver, Fixture, MODEL, Page, Screen, Server};

/// The first photo warms the program up and is printed apart.
const PHOTOS: usize = 10;

/// The times of all steps of every card, in milliseconds.
const READ_TIMES: &str = r#"
    const cards = [...document.querySelectorAll('[data-testid="result-card"]')];
    return cards.map((card) => [...card.querySelectorAll('[data-testid="timings"] tbody td')].map((cell) => Number(cell.textContent)));
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let server = Server::start(&fixture.binary, &fixture.site)?;
    let driver = Chromedriver::start()?;
    let photos: Vec<&Path> = fixture.photos.iter().map(AsRef::as_ref).collect();
    for backend in ["wasm", "webgpu"] {
        let address = server.page(MODEL, backend);
        let page = Page::open(&driver, &address, Screen::DESKTOP).await?;
        page.wait_until_ready().await?;
        let first = times(&page, &photos[..1]).await?;
        let later = times(&page, &photos[1..PHOTOS]).await?;
        let median = later
            .get(later.len() / 2)
            .context("no photo was answered")?;
        let named = page.text("backend").await?;
        println!("{named}: first {first:.1?} ms; then median {median:.1} of {later:.1?} ms");
        page.close().await?;
    }
    Ok(())
}

/// Has the photos answered; gives the times of all photos so far, ascending.
async fn times(page: &Page, photos: &[&Path]) -> Result<Vec<f64>> {
    page.choose(photos).await?;
    let cards = if photos.len() == 1 {
        1
    } else {
        photos.len() + 1
    };
    for card in 0..cards {
        page.answer(card).await?;
    }
    let steps: Vec<Vec<f64>> =
        serde_json::from_value(page.client().execute(READ_TIMES, vec![]).await?)?;
    let mut sums: Vec<f64> = steps.iter().map(|steps| steps.iter().sum()).collect();
    sums.sort_by(f64::total_cmp);
    Ok(sums)
}
