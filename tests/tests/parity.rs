//! The same photos and bundle give the same ranked answer in the browser as on the command line, on both backends.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flukeprint_tests::{Chromedriver, Fixture, MODEL, OPEN_PROGRAM, PLAIN, Page, Screen, Server};
use serde::Deserialize;
use serde_json::{Value, json};

const PHOTOS: usize = 10;

/// How far a score may differ: the backends add up in another order.
const TOLERANCE: f64 = 1e-3;
/// How far the fit of an edge may, in standard deviations.
const EDGE_TOLERANCE: f64 = 1e-2;

#[derive(Debug, Deserialize)]
struct Answer {
    candidates: Vec<Candidate>,
}

#[derive(Debug, Deserialize)]
struct Candidate {
    kind: String,
    name: String,
    score: f64,
    probability: f64,
    edge: Option<f64>,
}

/// Asks the program itself, without the page around it.
const IDENTIFY: &str = r#"
    const [backend, model, photos, done] = arguments;
    (async () => {
        const identifier = await open(backend, model);
        const answers = [];
        for (const photo of photos) {
            const data = Uint8Array.from(atob(photo), (char) => char.charCodeAt(0));
            answers.push(await identifier.identify(data, null, 5, () => {}));
        }
        return { backend: identifier.backend(), answers };
    })().then(done, (error) => done({ error: String(error) }));
"#;

#[tokio::test]
async fn the_browser_without_a_gpu_answers_as_the_command_line_does() -> Result<()> {
    assert_same_answers("wasm", MODEL).await?;
    Ok(())
}

#[tokio::test]
async fn the_browser_with_webgpu_answers_as_the_command_line_does() -> Result<()> {
    assert_same_answers("webgpu", MODEL).await?;
    Ok(())
}

#[tokio::test]
async fn trailing_edges_fit_in_the_browser_as_they_do_on_the_command_line() -> Result<()> {
    let answers = assert_same_answers("wasm", PLAIN).await?;
    let candidates = answers.iter().flat_map(|answer| &answer.candidates);
    let fits: Vec<f64> = candidates.filter_map(|one| one.edge).collect();
    assert_eq!(
        fits.len(),
        5 * PHOTOS,
        "every candidate's edge was compared"
    );
    assert!(fits.iter().any(|&fit| fit > 2.0), "{fits:?}");
    Ok(())
}

/// What the browser answers.
async fn assert_same_answers(backend: &str, model: &str) -> Result<Vec<Answer>> {
    let fixture = Fixture::from_env()?;
    let native = native_answers(&fixture, model)?;
    let browser = browser_answers(&fixture, backend, model).await?;
    assert_eq!(native.len(), PHOTOS);
    assert_eq!(browser.len(), PHOTOS);
    for ((native, browser), photo) in native.iter().zip(&browser).zip(&fixture.photos) {
        assert_eq!(labels(native), labels(browser), "{}", photo.display());
        for (expected, found) in native.candidates.iter().zip(&browser.candidates) {
            let (score, probability) = (
                expected.score - found.score,
                expected.probability - found.probability,
            );
            let what = format!(
                "{}: {expected:?} on the command line, {found:?} in the browser",
                photo.display()
            );
            assert!(
                score.abs() <= TOLERANCE && probability.abs() <= TOLERANCE,
                "{what}"
            );
            let fits = expected.edge.zip(found.edge);
            let apart = fits.map_or(0.0, |(expected, found)| (expected - found).abs());
            assert!(
                expected.edge.is_some() == found.edge.is_some() && apart <= EDGE_TOLERANCE,
                "{what}"
            );
        }
    }
    Ok(browser)
}

fn labels(answer: &Answer) -> Vec<(&str, &str)> {
    answer
        .candidates
        .iter()
        .map(|candidate| (candidate.kind.as_str(), candidate.name.as_str()))
        .collect()
}

fn native_answers(fixture: &Fixture, model: &str) -> Result<Vec<Answer>> {
    let output = Command::new(&fixture.binary)
        .args(["identify", "--json", "--bundle"])
        .arg(fixture.site.join("models").join(model))
        .args(&fixture.photos[..PHOTOS])
        .output()?;
    ensure!(
        output.status.success(),
        "identify failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut printed: Value =
        serde_json::from_slice(&output.stdout).context("`identify --json` prints JSON")?;
    let answers = printed
        .get_mut("photos")
        .map(Value::take)
        .unwrap_or_default();
    serde_json::from_value(answers).context("`photos` is a list of answers, one for each photo")
}

async fn browser_answers(fixture: &Fixture, backend: &str, model: &str) -> Result<Vec<Answer>> {
    let server = Server::start(&fixture.binary, &fixture.site)?;
    let driver = Chromedriver::start()?;
    // Not the page: it would load the model a second time.
    let page = Page::open(
        &driver,
        &format!("{}models/models.json", server.address()),
        Screen::DESKTOP,
    )
    .await?;
    let mut photos = Vec::new();
    for photo in &fixture.photos[..PHOTOS] {
        photos.push(STANDARD.encode(fs::read(photo)?));
    }
    let mut result = page
        .run(
            &format!("{OPEN_PROGRAM}{IDENTIFY}"),
            vec![json!(backend), json!(model), json!(photos)],
        )
        .await?;
    ensure!(
        result.get("error").is_none(),
        "the browser: {}",
        result["error"]
    );
    assert_eq!(result["backend"]["name"], backend, "{}", result["backend"]);
    let answers: Vec<Answer> = serde_json::from_value(
        result
            .get_mut("answers")
            .map(Value::take)
            .unwrap_or_default(),
    )?;
    page.close().await?;
    Ok(answers)
}
