//! Several photos of one animal on the page: one answer, the one that the command line gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use flukeprint_tests::{Chromedriver, Fixture, MODEL, Page, Screen, Server};
use serde_json::{Value, json};

const CHECK: &str = r#"[data-testid="encounter-check"]"#;

/// What the page says of all photos together.
const READ: &str = r#"
    const section = document.querySelector('[data-testid="encounter"]');
    const text = (root, part) => root.querySelector(`[data-part="${part}"]`).textContent.replaceAll("\u00a0", " ").trim();
    return {
        hidden: section.hidden || section.querySelector('[data-part="together"]').hidden,
        title: text(section, "title"),
        verdict: text(section, "verdict"),
        names: [...section.querySelectorAll('[data-testid="candidate"]')].map((row) => text(row, "name")),
        probabilities: [...section.querySelectorAll('[data-testid="candidate"]')].map((row) => text(row, "probability")),
        announced: document.getElementById("announcer").textContent.replaceAll("\u00a0", " "),
    };
"#;

#[tokio::test]
async fn photos_of_one_animal_get_the_answer_of_the_command_line() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let server = Server::start(&fixture.binary, &fixture.site)?;
    let driver = Chromedriver::start()?;
    let page = Page::open(&driver, &server.page(MODEL, "wasm"), Screen::PHONE).await?;
    page.wait_until_ready().await?;
    let photos: Vec<&Path> = fixture
        .photos
        .iter()
        .take(3)
        .map(PathBuf::as_path)
        .collect();

    page.choose(&photos[..1]).await?;
    page.answer(0).await?;
    assert!(!is_offered(&page).await?, "one photo is no encounter");

    page.choose(&photos[1..]).await?;
    for index in 0..photos.len() {
        page.answer(index).await?;
    }
    assert!(is_offered(&page).await?);
    assert_eq!(read(&page).await?["hidden"], true, "nobody has said so yet");
    // As a keyboard does it.
    let check = page.client().find(Locator::Css(CHECK)).await?;
    check.send_keys(" ").await?;
    let shown = answered(&page, "all 3").await?;

    let expected = on_the_command_line(&fixture, &photos, &[])?;
    assert_eq!(shown["names"], expected["names"]);
    assert_eq!(shown["probabilities"], expected["probabilities"]);
    let verdict = shown["verdict"].as_str().unwrap_or_default();
    assert!(verdict.starts_with("Most likely "), "{shown}");
    let announced = shown["announced"].as_str().unwrap_or_default();
    assert!(
        announced.ends_with(verdict),
        "a screen reader hears it: {shown}"
    );
    let width = page
        .client()
        .execute("return document.documentElement.scrollWidth", vec![]);
    assert_eq!(width.await?, json!(Screen::PHONE.width));

    // A photo less, and the answer is that of the others.
    let remove = r#"document.querySelectorAll('[data-part="remove"]')[2].click()"#;
    page.client().execute(remove, vec![]).await?;
    let shown = answered(&page, "all 2").await?;
    let expected = on_the_command_line(&fixture, &photos[..2], &[])?;
    assert_eq!(shown["probabilities"], expected["probabilities"]);

    // What comparing finds for each photo speaks for all.
    for index in 0..2 {
        let press =
            format!("document.querySelectorAll('[data-testid=\"verify\"]')[{index}].click()");
        page.client().execute(&press, vec![]).await?;
        verified(&page, index).await?;
    }
    let compared = answered(&page, "all 2").await?;
    let expected = on_the_command_line(&fixture, &photos[..2], &["--verify"])?;
    assert_eq!(compared["names"], expected["names"]);
    assert_ne!(compared["probabilities"], shown["probabilities"]);

    check.send_keys(" ").await?;
    assert_eq!(read(&page).await?["hidden"], true);
    page.close().await
}

async fn is_offered(page: &Page) -> Result<bool> {
    let check = page.client().find(Locator::Css(CHECK)).await?;
    Ok(check.is_displayed().await?)
}

async fn read(page: &Page) -> Result<Value> {
    Ok(page.client().execute(READ, vec![]).await?)
}

/// Waits until a card says what comparing found.
async fn verified(page: &Page, index: usize) -> Result<()> {
    let look = format!(
        "const card = document.querySelectorAll('[data-testid=\"result-card\"]')[{index}]; \
         return card.dataset.state === 'answered' && card.querySelector('[data-part=\"evidence-note\"]').textContent !== ''"
    );
    for _ in 0..600 {
        if page.client().execute(&look, vec![]).await? == json!(true) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("photo {index} was not compared")
}

/// Waits for an answer by `photos`, as the page's title says it.
async fn answered(page: &Page, photos: &str) -> Result<Value> {
    let section = Locator::Css(r#"[data-testid="encounter"][data-state="answered"]"#);
    for _ in 0..600 {
        let wait = page.client().wait().at_most(Duration::from_secs(60));
        wait.for_element(section).await?;
        let shown = read(page).await?;
        if shown["title"]
            .as_str()
            .is_some_and(|title| title.contains(photos))
        {
            return Ok(shown);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("no answer by {photos}: {}", read(page).await?)
}

/// The same in the page's words: "New whale", and percents without digits after the point.
fn on_the_command_line(fixture: &Fixture, photos: &[&Path], how: &[&str]) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let table = folder.path().join("encounters.csv");
    let name = |photo: &&Path| Some(photo.file_name()?.to_string_lossy().into_owned());
    let rows: Option<Vec<String>> = photos
        .iter()
        .map(|photo| Some(format!("{},one\n", name(photo)?)))
        .collect();
    let rows = rows.context("a photo has a name")?.concat();
    fs::write(&table, format!("Image,Encounter\n{rows}"))?;
    let output = Command::new(&fixture.binary)
        .args(["identify", "--json", "--bundle"])
        .arg(fixture.bundle())
        .args(how)
        .arg("--encounters")
        .arg(&table)
        .args(photos)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "identify failed: {said}");
    let answers: Value = serde_json::from_slice(&output.stdout)?;
    let candidates = answers["encounters"][0]["candidates"].as_array();
    let candidates = candidates.context("an encounter has candidates")?;
    let name = |one: &Value| match one["kind"].as_str() {
        Some("new") => json!("New whale"),
        _ => one["name"].clone(),
    };
    let percent = |one: &Value| match one["probability"].as_f64().unwrap_or(f64::NAN) {
        high if high >= 0.995 => "over 99 %".to_owned(),
        low if low < 0.005 => "under 1 %".to_owned(),
        between => format!("{:.0} %", (between * 100.0).round()),
    };
    Ok(json!({
        "names": candidates.iter().map(name).collect::<Vec<_>>(),
        "probabilities": candidates.iter().map(percent).collect::<Vec<_>>(),
    }))
}
