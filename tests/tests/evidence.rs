//! What speaks for a whale, on the page: the order that the command line gives, and pictures of the match.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use flukeprint_tests::{Chromedriver, Fixture, MODEL, PLAIN, Page, Screen, Server};
use serde_json::{Value, json};

const VERIFY: &str = r#"[data-testid="verify"]"#;

/// What the first card shows of the evidence, all at once.
const READ: &str = r#"
    const card = document.querySelector('[data-testid="result-card"]');
    const text = (root, part) => root.querySelector(`[data-part="${part}"]`).textContent.replaceAll("\u00a0", " ").trim();
    const rows = [...card.querySelectorAll('[data-testid="candidate"]')];
    const drawing = (name) => card.querySelector(`[data-testid="${name}"]`);
    return {
        offered: drawing("verify").checkVisibility(),
        note: text(card, "evidence-note"),
        verdict: text(card, "verdict"),
        names: rows.map((row) => text(row, "name")),
        inliers: rows.map((row) => Number(row.querySelector('[data-testid="match"]').dataset.inliers ?? -1)),
        words: rows.map((row) => text(row, "match-words")),
        lines: drawing("match-lines")?.querySelectorAll("line").length ?? null,
        label: drawing("match-lines")?.getAttribute("aria-label") ?? null,
        blink: drawing("match-blink")?.dataset.shown ?? null,
        images: [...card.querySelectorAll(".match-drawing image")].map((image) => image.getBoundingClientRect().width > 0),
        expanded: drawing("match-show").getAttribute("aria-expanded"),
        width: document.documentElement.scrollWidth,
    };
"#;

#[tokio::test]
async fn a_match_is_verified_and_shown() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let (page, _running) = opened(&fixture, &fixture.site, MODEL).await?;
    let photo = gallery_photo(&fixture)?;
    page.choose(&[&photo]).await?;
    page.answer(0).await?;
    let before = read(&page).await?;
    assert_eq!(before["offered"], true, "{before}");
    assert_eq!(before["note"], "");

    press(&page, VERIFY).await?;
    let shown = verified(&page).await?;
    let expected = on_the_command_line(&fixture, &photo)?;
    assert_eq!(shown["names"], expected["names"]);
    // The processors round otherwise, and the box with them.
    let pairs = inliers(&shown).into_iter().zip(inliers(&expected));
    for (here, there) in pairs {
        assert!((here - there).abs() <= 4, "{shown} {expected}");
    }
    let words = shown["words"][0].as_str().unwrap_or_default();
    assert!(words.starts_with("The same photo as "), "{shown}");
    assert_eq!(shown["offered"], false);

    press(&page, r#"[data-testid="match-show"]"#).await?;
    let lines = read(&page).await?;
    assert_eq!(lines["expanded"], "true");
    assert_eq!(lines["lines"], lines["inliers"][0], "a line an inlier");
    let label = lines["label"].as_str().unwrap_or_default();
    assert!(
        label.contains(&format!("{} lines", lines["lines"])),
        "{label}"
    );
    assert_eq!(lines["images"], json!([true, true]));
    assert_eq!(lines["width"], json!(Screen::PHONE.width));

    press(&page, ".match-choice button:nth-of-type(2)").await?;
    let blink = read(&page).await?;
    assert_eq!(blink["blink"], "photo");
    assert_eq!(blink["lines"], Value::Null);
    assert!(is_aligned(&page).await?);
    press(&page, r#"[data-testid="match-turn"]"#).await?;
    assert_eq!(read(&page).await?["blink"], "catalogue");
    assert_eq!(blink["width"], json!(Screen::PHONE.width));

    press(&page, r#"[data-testid="match-show"]"#).await?;
    let hidden = read(&page).await?;
    assert_eq!(
        (&hidden["expanded"], &hidden["blink"]),
        (&json!("false"), &Value::Null)
    );
    page.close().await
}

#[tokio::test]
async fn comparing_can_be_cancelled_and_leaves_the_answer() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let (page, _running) = opened(&fixture, &fixture.site, MODEL).await?;
    page.choose(&[&fixture.photos[0]]).await?;
    page.answer(0).await?;
    let before = read(&page).await?;
    let cancel = r#"
        const done = arguments[arguments.length - 1];
        const card = document.querySelector('[data-testid="result-card"]');
        card.querySelector('[data-part="verify"]').click();
        const look = () => {
            if (card.dataset.state !== "working") return setTimeout(look, 1);
            card.querySelector('[data-part="cancel"]').click();
            done(null);
        };
        look();
    "#;
    page.run(cancel, vec![]).await?;
    assert_eq!(page.wait_for_card(0).await?, "answered");
    let after = read(&page).await?;
    assert_eq!(after["names"], before["names"]);
    assert_eq!(after["verdict"], before["verdict"]);
    let note = after["note"].as_str().unwrap_or_default();
    assert!(note.contains("cancelled"), "{after}");

    page.wait_until_ready().await?;
    press(&page, VERIFY).await?;
    let note = verified(&page).await?["note"].clone();
    assert!(
        note.as_str()
            .is_some_and(|note| note.contains("Compared with")),
        "{note}"
    );
    page.close().await
}

#[tokio::test]
async fn files_that_do_not_come_leave_the_answer_and_are_named() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let site = fixture.copy_of_site()?;
    fs::remove_dir_all(site.path().join("models").join(MODEL).join("keypoints"))?;
    let (page, _running) = opened(&fixture, site.path(), MODEL).await?;
    page.choose(&[&fixture.photos[0]]).await?;
    page.answer(0).await?;
    let before = read(&page).await?;
    press(&page, VERIFY).await?;
    let after = verified(&page).await?;
    assert_eq!(after["names"], before["names"]);
    assert_eq!(after["verdict"], before["verdict"]);
    let note = after["note"].as_str().unwrap_or_default();
    assert!(note.contains("could not be compared"), "{after}");
    assert!(note.contains("could not be fetched"), "{after}");
    page.close().await
}

#[tokio::test]
async fn files_that_came_once_are_kept_and_a_damaged_copy_is_fetched_anew() -> Result<()> {
    const DAMAGE: &str = r#"
        const done = arguments[arguments.length - 1];
        caches.open("flukeprint-keypoints").then(async (store) => {
            const kept = await store.keys();
            await store.put(kept[0], new Response("rubbish"));
            done(kept.length);
        });
    "#;
    let fixture = Fixture::from_env()?;
    let site = fixture.copy_of_site()?;
    let (page, _running) = opened(&fixture, site.path(), MODEL).await?;
    let first = verified_photo(&page, &fixture).await?;
    let kept = page.run(DAMAGE, vec![]).await?;
    assert!(kept.as_u64() > Some(1), "{kept} files were kept");
    reload(&page).await?;
    assert_eq!(
        verified_photo(&page, &fixture).await?["note"],
        first["note"]
    );

    let files = site.path().join("models").join(MODEL).join("keypoints");
    fs::remove_dir_all(files)?;
    reload(&page).await?;
    let again = verified_photo(&page, &fixture).await?;
    assert_eq!(again["names"], first["names"]);
    assert_eq!(again["note"], first["note"]);
    page.close().await
}

#[tokio::test]
async fn a_bundle_without_keypoints_offers_nothing() -> Result<()> {
    let fixture = Fixture::from_env()?;
    let (page, _running) = opened(&fixture, &fixture.site, PLAIN).await?;
    page.choose(&[&fixture.photos[0]]).await?;
    page.answer(0).await?;
    assert_eq!(read(&page).await?["offered"], false);
    page.close().await
}

async fn opened(
    fixture: &Fixture,
    site: &Path,
    model: &str,
) -> Result<(Page, (Server, Chromedriver))> {
    let server = Server::start(&fixture.binary, site)?;
    let driver = Chromedriver::start()?;
    let page = Page::open(&driver, &server.page(model, "wasm"), Screen::PHONE).await?;
    page.wait_until_ready().await?;
    Ok((page, (server, driver)))
}

async fn reload(page: &Page) -> Result<()> {
    page.client().refresh().await?;
    page.wait_until_ready().await
}

/// Has the first photo answered and compared.
async fn verified_photo(page: &Page, fixture: &Fixture) -> Result<Value> {
    page.choose(&[&fixture.photos[0]]).await?;
    page.answer(0).await?;
    press(page, VERIFY).await?;
    verified(page).await
}

/// As a keyboard does it.
async fn press(page: &Page, css: &str) -> Result<()> {
    let button = page.client().find(Locator::Css(css)).await?;
    Ok(button.send_keys(" ").await?)
}

async fn read(page: &Page) -> Result<Value> {
    Ok(page.client().execute(READ, vec![]).await?)
}

/// Waits until the first card says what came of comparing.
async fn verified(page: &Page) -> Result<Value> {
    let said = r#"
        const done = arguments[arguments.length - 1];
        const look = () => {
            const card = document.querySelector('[data-testid="result-card"][data-state="answered"]');
            const note = card?.querySelector('[data-part="evidence-note"]').textContent ?? "";
            if (note === "" || note.includes("cancelled")) return setTimeout(look, 20);
            done(null);
        };
        look();
    "#;
    page.run(said, vec![]).await?;
    read(page).await
}

fn inliers(shown: &Value) -> Vec<i64> {
    let inliers = shown["inliers"].as_array();
    inliers.map_or_else(Vec::new, |inliers| {
        inliers.iter().filter_map(Value::as_i64).collect()
    })
}

/// Whether the photo, laid over the catalogue's picture of itself, covers it to a tenth: both are of one
/// photo, cut along nearly the same box.
async fn is_aligned(page: &Page) -> Result<bool> {
    let aligned = r#"
        const drawing = document.querySelector('[data-testid="match-blink"]');
        const [theirs, mine] = [...drawing.querySelectorAll("image")].map((image) => image.getBoundingClientRect());
        const near = (a, b) => Math.abs(a - b) <= 0.1 * theirs.width;
        return mine.left <= theirs.left + 0.1 * theirs.width && mine.right >= theirs.right - 0.1 * theirs.width
            && (mine.width >= theirs.width || near(mine.width, theirs.width));
    "#;
    Ok(page.client().execute(aligned, vec![]).await? == json!(true))
}

/// A photo that the gallery holds, of a whale that it knows.
fn gallery_photo(fixture: &Fixture) -> Result<PathBuf> {
    let read = |path: &Path| -> Result<Value> { Ok(serde_json::from_slice(&fs::read(path)?)?) };
    let bundle = fixture.bundle();
    let manifest = read(&bundle.join("bundle.json"))?;
    let file = &manifest["files"]["individuals"]["path"];
    let individuals = read(&bundle.join(file.as_str().context("a path")?))?;
    let photos = individuals["photos"].as_array().context("photos")?;
    let known = photos.iter().find(|photo| photo["individual"].is_u64());
    let file = known.and_then(|photo| photo["file"].as_str());
    let catalogue = fixture.photos[0].parent().and_then(Path::parent);
    let catalogue = catalogue.context("photos lie in a catalogue")?;
    Ok(catalogue.join("train").join(file.context("a known whale")?))
}

/// The same in the page's words.
fn on_the_command_line(fixture: &Fixture, photo: &Path) -> Result<Value> {
    let output = Command::new(&fixture.binary)
        .args(["identify", "--verify", "--json", "--bundle"])
        .arg(fixture.bundle())
        .arg(photo)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "identify failed: {said}");
    let answers: Value = serde_json::from_slice(&output.stdout)?;
    let candidates = answers["photos"][0]["candidates"].as_array();
    let candidates = candidates.context("a photo has candidates")?;
    let name = |one: &Value| match one["kind"].as_str() {
        Some("new") => json!("New whale"),
        _ => one["name"].clone(),
    };
    let inliers = |one: &Value| one["evidence"]["inliers"].as_i64().unwrap_or(-1);
    Ok(json!({
        "names": candidates.iter().map(name).collect::<Vec<_>>(),
        "inliers": candidates.iter().map(inliers).collect::<Vec<_>>(),
    }))
}
