//! The served page in headless Chromium, used as a person uses it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use flukeprint_tests::{Chromedriver, Fixture, MODEL, Page, Screen, Server};
use serde_json::{Value, json};

const BACKENDS: [(&str, &str); 2] = [("wasm", "WebAssembly"), ("webgpu", "WebGPU")];

#[tokio::test]
async fn names_a_whale_from_a_chosen_photo_on_either_backend() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let server = Server::start(&fixture.binary, &fixture.site)?;
    let driver = Chromedriver::start()?;
    for (backend, words) in BACKENDS {
        let page = Page::open(&driver, &server.page(MODEL, backend), Screen::DESKTOP).await?;
        page.wait_until_ready().await?;
        assert_eq!(
            page.attribute(r#"[data-testid="backend"]"#, "data-backend")
                .await?,
            backend
        );
        assert!(page.text("backend").await?.contains(words));
        page.choose(&[&fixture.photos[0]]).await?;
        let shown = page.answer(0).await?;

        assert!(
            shown.verdict.starts_with("Most likely ")
                || shown.verdict.starts_with("Most likely a new whale")
        );
        assert!(shown.verdict.ends_with(" %"), "{}", shown.verdict);
        assert_eq!(shown.candidates.len(), 5);
        let names: HashSet<&str> = shown
            .candidates
            .iter()
            .map(|candidate| candidate.name.as_str())
            .collect();
        assert_eq!(
            names.len(),
            5,
            "every candidate is another whale: {names:?}"
        );
        for candidate in &shown.candidates {
            assert!(
                !candidate.name.is_empty() && candidate.probability.ends_with(" %"),
                "{candidate:?}"
            );
            assert!(
                candidate.has_thumbnail || candidate.name == "New whale",
                "{candidate:?} has no picture"
            );
        }
        assert!(
            shown
                .new_line
                .starts_with("A whale that is not in this catalogue: "),
            "{}",
            shown.new_line
        );
        assert!(
            shown.steps.len() >= 5,
            "every step has its time: {:?}",
            shown.steps
        );
        assert!(
            shown.region[2] > 0.0 && shown.region[3] > 0.0,
            "a box is drawn: {:?}",
            shown.region
        );
        page.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn several_photos_queue_up_and_each_gets_its_answer() -> Result<()> {
    let (page, fixture, _running) = open_ready(Screen::DESKTOP).await?;
    let photos: Vec<&Path> = fixture
        .photos
        .iter()
        .take(3)
        .map(PathBuf::as_path)
        .collect();
    page.choose(&photos).await?;
    for (index, photo) in photos.iter().enumerate() {
        page.answer(index).await?;
        let card = format!(r#"[data-testid="result-card"]:nth-of-type({})"#, index + 1);
        let name = photo
            .file_name()
            .context("a photo has a name")?
            .to_string_lossy();
        assert_eq!(page.attribute(&card, "aria-label").await?, name);
    }
    page.close().await
}

#[tokio::test]
async fn a_text_file_named_jpg_gets_a_sentence_and_the_next_photo_an_answer() -> Result<()> {
    let (page, fixture, _running) = open_ready(Screen::DESKTOP).await?;
    let folder = tempfile::tempdir()?;
    let letter = folder.path().join("letter.jpg");
    fs::write(&letter, "Dear whale, I am no photo.\n")?;
    page.choose(&[&letter, &fixture.photos[0]]).await?;
    assert_eq!(page.wait_for_card(0).await?, "failed");
    assert_is_a_sentence(&page.error().await?);
    page.answer(1).await?;
    page.close().await
}

#[tokio::test]
async fn a_box_of_the_persons_own_is_used() -> Result<()> {
    let (page, fixture, _running) = open_ready(Screen::DESKTOP).await?;
    page.choose(&[&fixture.photos[0]]).await?;
    let found = page.answer(0).await?.region;
    let [left, top, width, height] = found.map(f64::round);
    let typed = [
        left + 3.0,
        top + 2.0,
        left + width - 4.0,
        top + height - 2.0,
    ];
    let ask = r#"
        const form = document.querySelector('[data-part="editor-form"]');
        ["x0", "y0", "x1", "y1"].forEach((edge, index) => { form.elements[edge].value = arguments[0][index]; });
        form.requestSubmit();
    "#;
    page.client().execute(ask, vec![json!(typed)]).await?;
    let shown = page.answer(0).await?;
    assert_eq!(
        shown.region,
        [typed[0], typed[1], typed[2] - typed[0], typed[3] - typed[1]]
    );
    let note = r#"return document.querySelector('[data-part="region-note"]').textContent"#;
    assert_eq!(
        page.client().execute(note, vec![]).await?,
        "The box is yours."
    );
    page.close().await
}

#[tokio::test]
async fn a_photo_in_work_can_be_cancelled_and_asked_again() -> Result<()> {
    let (page, fixture, _running) = open_ready(Screen::DESKTOP).await?;
    // Presses "Cancel" within the page at the first step that the program reports, before it can end.
    let cancel_at_first_step = r#"
        new MutationObserver((_, observer) => {
            const card = document.querySelector('[data-state="working"]');
            if (!card || card.querySelector("progress").value === 0) return;
            observer.disconnect();
            card.querySelector('[data-part="cancel"]').click();
        }).observe(document.getElementById("results"), { subtree: true, childList: true, attributes: true });
    "#;
    page.client().execute(cancel_at_first_step, vec![]).await?;
    page.choose(&[&fixture.photos[0]]).await?;
    assert_eq!(page.wait_for_card(0).await?, "cancelled");
    page.client()
        .execute(
            r#"document.querySelector('[data-part="retry"]').click()"#,
            vec![],
        )
        .await?;
    page.answer(0).await?;
    page.close().await
}

#[tokio::test]
async fn a_second_visit_works_without_a_network() -> Result<()> {
    let (page, fixture, running) = open_ready(Screen::PHONE).await?;
    page.wait_until_kept().await?;
    page.choose(&[&fixture.photos[0]]).await?;
    let before = page.answer(0).await?;
    let (server, _driver) = running;
    drop(server);
    page.client().refresh().await?;
    page.wait_until_ready().await?;
    page.choose(&[&fixture.photos[0]]).await?;
    let after = page.answer(0).await?;
    assert_eq!(after.verdict, before.verdict);
    assert!(
        after
            .candidates
            .iter()
            .zip(&before.candidates)
            .all(|(after, before)| after.has_thumbnail == before.has_thumbnail)
    );
    page.close().await
}

#[tokio::test]
async fn a_phone_shows_everything_without_scrolling_sideways() -> Result<()> {
    let (page, fixture, _running) = open_ready(Screen::PHONE).await?;
    page.choose(&[&fixture.photos[0]]).await?;
    page.answer(0).await?;
    let open_all =
        "document.querySelectorAll('details').forEach((details) => { details.open = true; });";
    page.client().execute(open_all, vec![]).await?;
    let width = page
        .client()
        .execute("return document.documentElement.scrollWidth", vec![])
        .await?;
    assert_eq!(width, json!(Screen::PHONE.width));
    page.close().await
}

#[tokio::test]
async fn a_truncated_weights_file_is_named() -> Result<()> {
    let damaged = |bundle: &Path| -> Result<String> {
        let file = largest_file(bundle)?;
        let bytes = fs::read(&file)?;
        fs::write(&file, &bytes[..bytes.len() / 2])?;
        Ok(name_of(&file))
    };
    assert_damage_is_named(damaged).await
}

#[tokio::test]
async fn a_weights_file_with_one_flipped_bit_is_named() -> Result<()> {
    let damaged = |bundle: &Path| -> Result<String> {
        let file = largest_file(bundle)?;
        let mut bytes = fs::read(&file)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&file, bytes)?;
        Ok(name_of(&file))
    };
    assert_damage_is_named(damaged).await
}

#[tokio::test]
async fn a_bundle_of_a_newer_version_is_named() -> Result<()> {
    let newer = |bundle: &Path| -> Result<String> {
        let file = bundle.join("bundle.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&file)?)?;
        let version = manifest
            .get_mut("format")
            .context("bundle.json states its format")?;
        *version = json!(version.as_u64().context("a version is a number")? + 9);
        fs::write(&file, serde_json::to_vec(&manifest)?)?;
        Ok("bundle.json".to_owned())
    };
    assert_damage_is_named(newer).await
}

/// Server and driver end when this is dropped.
type Running = (Server, Chromedriver);

async fn open_ready(screen: Screen) -> Result<(Page, Fixture, Running)> {
    let fixture = Fixture::from_env()?;
    let server = Server::start(&fixture.binary, &fixture.site)?;
    let driver = Chromedriver::start()?;
    let page = Page::open(&driver, &server.page(MODEL, "wasm"), screen).await?;
    page.wait_until_ready().await?;
    Ok((page, fixture, (server, driver)))
}

/// Opens the page on a copy of the site whose bundle `damage` has spoilt; it returns the file that must be named.
async fn assert_damage_is_named(damage: impl Fn(&Path) -> Result<String>) -> Result<()> {
    let fixture = Fixture::from_env()?;
    let site = fixture.copy_of_site()?;
    let name = damage(&site.path().join("models/synthetic"))?;
    let server = Server::start(&fixture.binary, site.path())?;
    let driver = Chromedriver::start()?;
    let page = Page::open(&driver, &server.page(MODEL, "wasm"), Screen::DESKTOP).await?;
    let sentence = page.error().await?;
    assert_is_a_sentence(&sentence);
    assert!(
        sentence.contains(&name),
        "the sentence names {name}: {sentence}"
    );
    assert_eq!(
        page.attribute(r#"[data-testid="model-status"]"#, "data-state")
            .await?,
        "error"
    );
    page.close().await
}

/// One line of words, not a trace of the program.
fn assert_is_a_sentence(text: &str) {
    assert!(text.split_whitespace().count() >= 4, "{text}");
    assert!(
        !text.contains('\n') && !text.contains("panicked") && !text.contains("unreachable"),
        "{text}"
    );
}

fn largest_file(folder: &Path) -> Result<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.len(), entry.path()));
    }
    let (bytes, file) = files
        .into_iter()
        .filter(|(_, path)| path.is_file())
        .max()
        .context("an empty bundle")?;
    ensure!(bytes > 1, "{} is empty", file.display());
    Ok(file)
}

fn name_of(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
