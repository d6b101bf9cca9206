//! Takes pictures of the page: desktop and phone, light and dark, empty and answered, by either catalogue.
//!
//! `cargo run -p flukeprint-tests --example screenshots -- FOLDER`, with the environment of `cargo xtask test`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flukeprint_tests::{Chromedriver, Fixture, MODEL, PLAIN, Page, Screen, Server};

/// Name of the files, and the screen.
const VIEWS: [(&str, Screen); 4] = [
    ("desktop", Screen::DESKTOP),
    ("desktop-dark", Screen::DESKTOP.dark()),
    ("phone", Screen::PHONE),
    ("phone-dark", Screen::PHONE.dark()),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = PathBuf::from(
        std::env::args_os()
            .nth(1)
            .context("name the folder for the pictures")?,
    );
    std::fs::create_dir_all(&folder)?;
    let fixture = Fixture::from_env()?;
    let server = Server::start(&fixture.binary, &fixture.site)?;
    let driver = Chromedriver::start()?;
    for (name, screen) in VIEWS {
        let page = Page::open(&driver, &server.page(MODEL, "wasm"), screen).await?;
        take(&page, &fixture, &folder, name).await?;
        page.close().await?;
    }
    Ok(())
}

async fn take(page: &Page, fixture: &Fixture, folder: &Path, name: &str) -> Result<()> {
    page.wait_until_ready().await?;
    page.screenshot(&folder.join(format!("{name}-empty.png")))
        .await?;
    page.choose(&[&fixture.photos[0]]).await?;
    page.answer(0).await?;
    let scroll = r#"document.querySelector('[data-testid="result-card"]').scrollIntoView({ behavior: "instant" });"#;
    page.client().execute(scroll, vec![]).await?;
    page.screenshot(&folder.join(format!("{name}-answer.png")))
        .await?;
    verify_first(page).await?;
    page.screenshot(&folder.join(format!("{name}-evidence.png")))
        .await?;
    // The same photo by a catalogue without pictures, as a shipped one is.
    page.choose_model(PLAIN).await?;
    page.wait_until_ready().await?;
    page.answer(0).await?;
    page.client().execute(scroll, vec![]).await?;
    page.screenshot(&folder.join(format!("{name}-plain.png")))
        .await?;
    page.client()
        .execute("window.scrollTo({ top: 0, behavior: 'instant' })", vec![])
        .await?;
    page.screenshot(&folder.join(format!("{name}-chosen.png")))
        .await
}

/// What speaks for the first candidate, with its lines, and the choices about new whales opened.
async fn verify_first(page: &Page) -> Result<()> {
    let verify = r#"
        const done = arguments[arguments.length - 1];
        const card = document.querySelector('[data-testid="result-card"]');
        document.getElementById("expectations").open = true;
        card.querySelector('[data-testid="verify"]').click();
        const look = () => {
            if (card.querySelector('[data-part="evidence-note"]').textContent === "") return setTimeout(look, 50);
            card.querySelector('[data-testid="match-show"]')?.click();
            card.querySelector(".candidates").scrollIntoView({ behavior: "instant" });
            done(null);
        };
        look();
    "#;
    page.run(verify, vec![]).await?;
    Ok(())
}
