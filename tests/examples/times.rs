//! Prints how long the page takes for a photo on each backend, bytes to answer, as the page says it; then how
//! long comparing takes with one, five and all catalogue photos that are asked for, without fetching them.
//!
//! `cargo run --release -p flukeprint-tests --example times`, with the environment of `cargo xtask test`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flukeprint_tests::{Chromedriver, Fixture, MODEL, OPEN_PROGRAM, Page, Screen, Server};
use serde_json::json;

/// The first photo warms the program up and is printed apart.
const PHOTOS: usize = 10;

/// The times of all steps of every card, in milliseconds.
const READ_TIMES: &str = r#"
    const cards = [...document.querySelectorAll('[data-testid="result-card"]')];
    return cards.map((card) => [...card.querySelectorAll('[data-testid="timings"] tbody td')].map((cell) => Number(cell.textContent)));
"#;

/// Compares each photo with its first candidates' photos, `[median ms of 1, of 5, of all, how many all are]`.
const COMPARE: &str = r#"
    const [photos, done] = arguments;
    (async () => {
        const identifier = await open("wasm");
        const times = [[], [], []];
        let all = 0;
        for (const photo of photos) {
            const data = Uint8Array.from(atob(photo), (char) => char.charCodeAt(0));
            const { embedding, region } = await identifier.identify(data, null, 5, () => {});
            const files = identifier.to_verify(embedding);
            all = files.length;
            const contents = await Promise.all(files.map(({ path }) => bytes(path)));
            for (const [index, count] of [1, 5, all].entries()) {
                const rows = Uint32Array.from(files.slice(0, count), ({ row }) => row);
                const begun = performance.now();
                await identifier.verify(data, region, embedding, rows, contents.slice(0, count), 5, () => {});
                times[index].push(performance.now() - begun);
            }
        }
        const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
        return [...times.map(median), all];
    })().then(done, (error) => done(String(error)));
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
    let encode = |path: &&Path| Ok(STANDARD.encode(fs::read(path)?));
    let photos: Vec<String> = photos[..PHOTOS].iter().map(encode).collect::<Result<_>>()?;
    let address = format!("{}models/models.json", server.address());
    let page = Page::open(&driver, &address, Screen::DESKTOP).await?;
    let result = page
        .run(&format!("{OPEN_PROGRAM}{COMPARE}"), vec![json!(photos)])
        .await?;
    println!("comparing with 1, 5 and all photos, median ms, and how many all are: {result}");
    page.close().await
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
