//! What a person expects and fears changes the answer, in headless Chromium.

use anyhow::{Context, Result};
use flukeprint_tests::{Chromedriver, Fixture, MODEL, Page, Screen, Server, Shown};
use serde_json::{Value, json};

#[tokio::test]
async fn expecting_strangers_makes_new_likelier_and_wariness_changes_the_verdict_alone()
-> Result<()> {
    let fixture = Fixture::from_env()?;
    let server = Server::start(&fixture.binary, &fixture.site)?;
    let driver = Chromedriver::start()?;
    let page = Page::open(&driver, &server.page(MODEL, "wasm"), Screen::DESKTOP).await?;
    page.wait_until_ready().await?;
    page.choose(&[&fixture.photos[0]]).await?;
    let usual = page.answer(0).await?;

    let strangers = after_choosing(&page, "expected-share", 0.9).await?;
    assert!(
        percent_of_new(&strangers)? > percent_of_new(&usual)?,
        "{} before, {} after",
        usual.new_line,
        strangers.new_line
    );
    let note = page.text("operating-note").await?;
    assert!(note.contains("called new"), "{note}");

    // Back to what the bundle was tuned on, but a miss is cheap: whales keep their probabilities.
    page.client().execute(CHOOSE_FIRST_SHARE, vec![]).await?;
    let back = page.answer(0).await?;
    assert_eq!(back.verdict, usual.verdict);
    assert_eq!(said(&back), said(&usual));
    let careless = after_choosing(&page, "missed-cost", 0.1).await?;
    assert_eq!(said(&careless), said(&usual));

    page.close().await
}

/// Names and probabilities; pictures may still be on their way.
fn said(shown: &Shown) -> Vec<(&str, &str)> {
    let candidates = shown.candidates.iter();
    candidates
        .map(|one| (one.name.as_str(), one.probability.as_str()))
        .collect()
}

const CHOOSE_FIRST_SHARE: &str = r#"
    const select = document.getElementById("expected-share");
    select.selectedIndex = 0;
    select.dispatchEvent(new Event("change"));
"#;

/// Chooses a value as a person would, and what the first photo's answer then is.
async fn after_choosing(page: &Page, select: &str, value: f64) -> Result<Shown> {
    // The bundle's numbers have 32 bits, the page's 64.
    let script = r#"
        const select = document.getElementById(arguments[0]);
        document.getElementById("expectations").open = true;
        const near = (option) => Math.abs(Number(option.value) - arguments[1]) < 1e-6;
        const place = [...select.options].findIndex(near);
        if (place < 0) return false;
        select.selectedIndex = place;
        select.dispatchEvent(new Event("change"));
        return true;
    "#;
    let chosen: Value = page
        .client()
        .execute(script, vec![json!(select), json!(value)])
        .await?;
    assert_eq!(chosen, json!(true), "{select} offers {value}");
    page.answer(0).await
}

/// What the line below the candidates says of a whale that is not in the catalogue.
fn percent_of_new(shown: &Shown) -> Result<u32> {
    let (_, said) = shown.new_line.split_once(": ").context("a probability")?;
    let digits = said.chars().skip_while(|one| !one.is_ascii_digit());
    let digits: String = digits.take_while(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}
