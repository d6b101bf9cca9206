//! Choosing among the catalogues of a site, in headless Chromium.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use flukeprint_tests::{Chromedriver, Fixture, MODEL, PLAIN, Page, Screen, Server};
use serde_json::{Value, json};

/// Title of the catalogue without pictures.
const PLAIN_TITLE: &str = "The same whales, without pictures";

#[tokio::test]
async fn another_catalogue_answers_the_photos_again_and_stays_in_the_address() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let (page, _running) = open(&fixture, &fixture.site, MODEL, Screen::DESKTOP).await?;
    page.wait_until_ready().await?;
    page.choose(&[&fixture.photos[0], &fixture.photos[1]])
        .await?;
    let before = [page.answer(0).await?, page.answer(1).await?];
    page.choose_model(PLAIN).await?;
    let after = [page.answer(0).await?, page.answer(1).await?];

    for (before, after) in before.iter().zip(&after) {
        // The same run: only the pictures can differ.
        assert_eq!(after.verdict, before.verdict);
        assert_eq!(after.candidates.len(), before.candidates.len());
        for (was, is) in before.candidates.iter().zip(&after.candidates) {
            assert_eq!((&is.name, &is.probability), (&was.name, &was.probability));
            assert_ne!(was.has_thumbnail, was.has_blank_tile, "{was:?}");
            assert!(!is.has_thumbnail && is.has_blank_tile, "{is:?}");
        }
    }
    let address = page.client().current_url().await?;
    assert_eq!(
        address.query(),
        Some("backend=wasm&model=plain"),
        "{address}"
    );
    assert_eq!(shown_title(&page).await?, PLAIN_TITLE);

    page.client().refresh().await?;
    page.wait_until_ready().await?;
    assert_eq!(shown_title(&page).await?, PLAIN_TITLE);
    assert_eq!(chosen(&page).await?, PLAIN);
    let facts = page.text("model-facts").await?;
    assert!(facts.contains(" MB · "), "size and day: {facts}");
    page.close().await
}

#[tokio::test]
async fn an_unknown_catalogue_is_refused_by_name_and_another_can_be_chosen() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let (page, _running) = open(&fixture, &fixture.site, "narwhals", Screen::DESKTOP).await?;
    let sentence = page.error().await?;
    for name in ["narwhals", MODEL, PLAIN] {
        assert!(sentence.contains(name), "{name} is named: {sentence}");
    }
    assert_eq!(chosen(&page).await?, "", "none is chosen for the person");
    page.choose_model(PLAIN).await?;
    page.wait_until_ready().await?;
    assert_eq!(shown_title(&page).await?, PLAIN_TITLE);
    page.close().await
}

#[tokio::test]
async fn the_first_catalogue_is_taken_where_the_address_names_none() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let site = fixture.copy_of_site()?;
    let titles = [(PLAIN, "First"), (MODEL, "Second")];
    list_models(
        site.path(),
        titles
            .map(|(path, title)| json!({ "path": path, "title": title }))
            .into(),
    )?;
    let server = Server::start(&fixture.binary, site.path())?;
    let driver = Chromedriver::start()?;
    let address = format!("{}?backend=wasm", server.address());
    let page = Page::open(&driver, &address, Screen::DESKTOP).await?;
    page.wait_until_ready().await?;
    assert_eq!(chosen(&page).await?, PLAIN);
    assert_eq!(shown_title(&page).await?, PLAIN_TITLE);
    page.close().await
}

#[tokio::test]
async fn a_single_catalogue_is_no_choice() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let site = fixture.copy_of_site()?;
    list_models(
        site.path(),
        vec![json!({ "path": PLAIN, "title": PLAIN_TITLE })],
    )?;
    let (page, _running) = open(&fixture, site.path(), PLAIN, Screen::DESKTOP).await?;
    page.wait_until_ready().await?;
    assert!(!select_is_shown(&page).await?);
    page.close().await
}

#[tokio::test]
async fn loading_another_catalogue_can_be_stopped_and_photos_wait_for_it() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let (page, _running) = open(&fixture, &fixture.site, MODEL, Screen::DESKTOP).await?;
    page.wait_until_ready().await?;
    page.choose(&[&fixture.photos[0]]).await?;
    page.answer(0).await?;
    // Within the page, so that the load cannot end in between.
    let change_and_stop = r#"
        const select = document.getElementById("model-select");
        select.value = arguments[0];
        select.dispatchEvent(new Event("change"));
        document.getElementById("model-button").click();
    "#;
    page.client()
        .execute(change_and_stop, vec![json!(PLAIN)])
        .await?;
    let state = page
        .attribute(r#"[data-testid="model-status"]"#, "data-state")
        .await?;
    assert_eq!(state, "stopped");
    let left_over = r#"return document.querySelectorAll('[data-testid="candidate"]').length"#;
    assert_eq!(
        page.client().execute(left_over, vec![]).await?,
        0,
        "no answer of the catalogue before stays"
    );
    page.client()
        .execute(r#"document.getElementById("model-button").click()"#, vec![])
        .await?;
    let shown = page.answer(0).await?;
    assert!(shown.candidates.iter().all(|row| row.has_blank_tile));
    page.close().await
}

#[tokio::test]
async fn catalogues_that_were_loaded_can_be_changed_without_a_network() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let (page, running) = open(&fixture, &fixture.site, MODEL, Screen::DESKTOP).await?;
    page.wait_until_ready().await?;
    page.wait_until_kept().await?;
    page.choose_model(PLAIN).await?;
    page.wait_until_ready().await?;
    let (server, _driver) = running;
    drop(server);
    page.choose_model(MODEL).await?;
    page.wait_until_ready().await?;
    page.client().refresh().await?;
    page.wait_until_ready().await?;
    assert_eq!(chosen(&page).await?, MODEL);
    page.choose(&[&fixture.photos[0]]).await?;
    page.answer(0).await?;
    page.close().await
}

#[tokio::test]
async fn a_phone_has_room_for_a_long_title_and_for_the_model_card() -> Result<()> {
    const CARD: &str = "# Model card — Buckelwale\n\n| photos | whales |\n| 12 | ½ |\n";
    let fixture = Fixture::from_env()?;
    let site = fixture.copy_of_site()?;
    fs::write(site.path().join("models/plain/MODEL_CARD.md"), CARD)?;
    let title = "Humpback whales that somebody photographed from a very small boat, ".repeat(3);
    list_models(
        site.path(),
        vec![
            json!({ "path": PLAIN, "title": title, "card": "MODEL_CARD.md", "bytes": 456_000 }),
            json!({ "path": MODEL, "title": "Others" }),
        ],
    )?;
    let (page, _running) = open(&fixture, site.path(), PLAIN, Screen::PHONE).await?;
    page.wait_until_ready().await?;
    assert!(select_is_shown(&page).await?);
    assert_eq!(scroll_width(&page).await?, json!(Screen::PHONE.width));

    let link = r#"document.querySelector('[data-testid="model-card-link"]').click()"#;
    page.client().execute(link, vec![]).await?;
    let read = r##"
        const done = arguments[arguments.length - 1];
        const text = document.querySelector('[data-testid="model-card-text"]');
        const look = () => text.textContent.startsWith("#") ? done(text.textContent) : setTimeout(look, 50);
        look();
    "##;
    assert_eq!(page.run(read, vec![]).await?, CARD);
    assert_eq!(scroll_width(&page).await?, json!(Screen::PHONE.width));
    page.client()
        .execute(
            r#"document.getElementById("model-card-close").click()"#,
            vec![],
        )
        .await?;
    page.choose_model(MODEL).await?;
    page.wait_until_ready().await?;
    let facts = page.text("model-facts").await?;
    assert!(!facts.contains("card"), "this one has none: {facts}");
    page.close().await
}

/// Server and driver end when this is dropped.
type Running = (Server, Chromedriver);

async fn open(
    fixture: &Fixture,
    site: &Path,
    model: &str,
    screen: Screen,
) -> Result<(Page, Running)> {
    let server = Server::start(&fixture.binary, site)?;
    let driver = Chromedriver::start()?;
    let page = Page::open(&driver, &server.page(model, "wasm"), screen).await?;
    Ok((page, (server, driver)))
}

fn list_models(site: &Path, models: Vec<Value>) -> Result<()> {
    let file = site.join("models/models.json");
    fs::write(&file, json!({ "models": models }).to_string())
        .with_context(|| format!("writing {}", file.display()))
}

/// The title that the loaded bundle itself states.
async fn shown_title(page: &Page) -> Result<Value> {
    let title = r##"return document.querySelector("#about-facts dd").textContent"##;
    Ok(page.client().execute(title, vec![]).await?)
}

async fn chosen(page: &Page) -> Result<Value> {
    let value = r#"return document.getElementById("model-select").value"#;
    Ok(page.client().execute(value, vec![]).await?)
}

async fn select_is_shown(page: &Page) -> Result<bool> {
    let shown = r#"return document.getElementById("model-select").getClientRects().length > 0"#;
    Ok(page.client().execute(shown, vec![]).await? == json!(true))
}

async fn scroll_width(page: &Page) -> Result<Value> {
    let width = "return document.documentElement.scrollWidth";
    Ok(page.client().execute(width, vec![]).await?)
}
