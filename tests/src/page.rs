//! The page as a person sees it, in headless Chromium.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fantoccini::wd::TimeoutConfiguration;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Chromedriver;

/// How long to wait for the page before giving up: slow machines are slow, and software WebGPU slower.
const PATIENCE: Duration = Duration::from_secs(300);

/// Chromium as the tests need it: no window, no talk with the world outside, WebGPU in software.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
];

/// What the person looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// A phone: touch, and two device pixels to a CSS pixel.
    pub phone: bool,
    /// The person prefers dark colours.
    pub dark: bool,
}

impl Screen {
    /// A laptop's browser window, in light colours.
    pub const DESKTOP: Self = Self {
        width: 1280,
        height: 900,
        phone: false,
        dark: false,
    };
    /// A small phone, in light colours.
    pub const PHONE: Self = Self {
        width: 360,
        height: 740,
        phone: true,
        dark: false,
    };

    /// The same in dark colours.
    #[must_use]
    pub const fn dark(self) -> Self {
        Self { dark: true, ..self }
    }

    fn capabilities(self, profile: &Path) -> serde_json::Map<String, Value> {
        let mut arguments: Vec<String> = ARGUMENTS.map(String::from).into();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        // Blink's own numbers: 0 is dark, 1 is light.
        arguments.push(format!(
            "--blink-settings=preferredColorScheme={}",
            u8::from(!self.dark)
        ));
        let metrics = json!({
            "width": self.width,
            "height": self.height,
            "pixelRatio": if self.phone { 2.0 } else { 1.0 },
            "touch": self.phone,
            "mobile": self.phone,
        });
        let options = json!({ "args": arguments, "mobileEmulation": { "deviceMetrics": metrics } });
        [("goog:chromeOptions".to_owned(), options)]
            .into_iter()
            .collect()
    }
}

/// One answered card.
#[derive(Debug, Deserialize)]
pub struct Shown {
    /// The verdict in words.
    pub verdict: String,
    /// In the page's order.
    pub candidates: Vec<ShownCandidate>,
    /// What the page says about a whale that is not in the catalogue.
    pub new_line: String,
    /// The steps whose times are listed.
    pub steps: Vec<String>,
    /// The drawn box in pixels of the photo: left, top, width, height.
    pub region: [f64; 4],
}

/// One row of a card.
#[derive(Debug, Deserialize)]
pub struct ShownCandidate {
    /// As shown; "New whale" for the whale that is not in the catalogue.
    pub name: String,
    /// As shown, such as "87 %".
    pub probability: String,
    /// Whether a picture has been loaded, and is more than nothing.
    pub has_thumbnail: bool,
    /// Whether a drawn fluke stands where the picture would, visible, and silent for screen readers.
    pub has_blank_tile: bool,
}

/// Reads a card all at once, as [`Shown`].
const READ_CARD: &str = r#"
    const card = document.querySelectorAll('[data-testid="result-card"]')[arguments[0]];
    const drawn = (svg) => svg !== null && svg.getAttribute("aria-hidden") === "true" && svg.getBBox().width > 0;
    const text = (root, part) => root.querySelector(`[data-part="${part}"]`).textContent.replaceAll("\u00a0", " ").trim();
    const box = card.querySelector('[data-part="box-line"]');
    return {
        verdict: text(card, "verdict"),
        candidates: [...card.querySelectorAll('[data-testid="candidate"]')].map((row) => ({
            name: text(row, "name"),
            probability: text(row, "probability"),
            has_thumbnail: [...row.querySelectorAll("img")].some((image) => image.complete && image.naturalWidth > 0),
            has_blank_tile: row.querySelector("img") === null && drawn(row.querySelector("svg")),
        })),
        new_line: text(card, "new-line"),
        steps: [...card.querySelectorAll('[data-testid="timings"] tbody th')].map((cell) => cell.textContent),
        region: ["x", "y", "width", "height"].map((name) => Number(box.getAttribute(name))),
    };
"#;

/// A browser with the page open. Close it at the end; it ends with its driver in any case.
#[derive(Debug)]
pub struct Page {
    client: Client,
    _profile: TempDir,
}

impl Page {
    /// Opens `address` in a new browser with an empty profile.
    ///
    /// # Errors
    /// If no browser starts or the address can't be opened.
    pub async fn open(driver: &Chromedriver, address: &str, screen: Screen) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(screen.capabilities(profile.path()))
            .connect(&driver.address())
            .await
            .context("no Chromium started: run `cargo xtask test`, which installs it")?;
        client
            .update_timeouts(TimeoutConfiguration::new(
                Some(PATIENCE),
                Some(PATIENCE),
                None,
            ))
            .await?;
        client.goto(address).await?;
        Ok(Self {
            client,
            _profile: profile,
        })
    }

    /// The browser itself, for what has no method here.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits until the page says that the model is ready; fails at once when it says that it can't be.
    ///
    /// # Errors
    /// With what the page shows, if it isn't ready.
    pub async fn wait_until_ready(&self) -> Result<()> {
        self.wait_for_state(r#"[data-testid="model-status"]"#, &["ready", "error"])
            .await?;
        let state = self
            .attribute(r#"[data-testid="model-status"]"#, "data-state")
            .await?;
        ensure!(
            state == "ready",
            "the model is not ready; the page says: {}",
            self.error().await?
        );
        Ok(())
    }

    /// Waits until the page works without a network: its service worker answers for it.
    ///
    /// # Errors
    /// If the browser has no service worker.
    pub async fn wait_until_kept(&self) -> Result<()> {
        const KEPT: &str = r#"
            const done = arguments[arguments.length - 1];
            navigator.serviceWorker.ready.then(async () => {
                while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 50));
                done(null);
            });
        "#;
        self.run(KEPT, vec![]).await.map(drop)
    }

    /// Gives photos to the page as the "Choose photos" button does.
    ///
    /// # Errors
    /// If a path is not absolute or the page has no such button.
    pub async fn choose(&self, photos: &[&Path]) -> Result<()> {
        let paths: Vec<String> = photos
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let input = self
            .client
            .find(Locator::Css(r#"[data-testid="file-input"]"#))
            .await?;
        input.send_keys(&paths.join("\n")).await?;
        Ok(())
    }

    /// Picks another model in the page's choice, as a person does.
    ///
    /// # Errors
    /// If the page offers no such model.
    pub async fn choose_model(&self, model: &str) -> Result<()> {
        let choice = Locator::Css(r#"[data-testid="model-select"]"#);
        let select = self.client.find(choice).await?;
        select.select_by_value(model).await?;
        Ok(())
    }

    /// Waits for the answer on the card at `index` (from 0), with its pictures, and reads it.
    ///
    /// # Errors
    /// If the card shows something else than an answer.
    pub async fn answer(&self, index: usize) -> Result<Shown> {
        let state = self.wait_for_card(index).await?;
        ensure!(
            state == "answered",
            "card {index} is {state}; the page says: {}",
            self.error().await?
        );
        self.wait_for_pictures().await?;
        Ok(serde_json::from_value(
            self.client.execute(READ_CARD, vec![json!(index)]).await?,
        )?)
    }

    /// Waits until the card at `index` is neither waiting nor in work, and says what it is.
    ///
    /// # Errors
    /// If that takes too long.
    pub async fn wait_for_card(&self, index: usize) -> Result<String> {
        let card = format!(r#"[data-testid="result-card"]:nth-of-type({})"#, index + 1);
        self.wait_for_state(&card, &["answered", "failed", "cancelled"])
            .await?;
        self.attribute(&card, "data-state").await
    }

    /// The sentence of the first error on the page.
    ///
    /// # Errors
    /// If the page shows none.
    pub async fn error(&self) -> Result<String> {
        let shown = Locator::Css(r#"[data-testid="error"]:not([hidden])"#);
        Ok(self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(shown)
            .await
            .context("the page shows no error")?
            .text()
            .await?)
    }

    /// The text of the first element with this `data-testid`.
    ///
    /// # Errors
    /// If there is none.
    pub async fn text(&self, testid: &str) -> Result<String> {
        let element = self
            .client
            .find(Locator::Css(&format!(r#"[data-testid="{testid}"]"#)))
            .await?;
        Ok(element.text().await?.replace('\u{a0}', " "))
    }

    /// An attribute of the first element that `css` names; empty if it has none.
    ///
    /// # Errors
    /// If there is no such element.
    pub async fn attribute(&self, css: &str, name: &str) -> Result<String> {
        Ok(self
            .client
            .find(Locator::Css(css))
            .await?
            .attr(name)
            .await?
            .unwrap_or_default())
    }

    /// Runs a script that ends by calling its last argument with its result.
    ///
    /// # Errors
    /// If the script fails or never ends.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.client.execute_async(script, arguments).await?)
    }

    /// Writes what is on the screen as a PNG.
    ///
    /// # Errors
    /// If the file can't be written.
    pub async fn screenshot(&self, file: &Path) -> Result<()> {
        fs::write(file, self.client.screenshot().await?)
            .with_context(|| format!("writing {}", file.display()))
    }

    /// Ends the browser.
    ///
    /// # Errors
    /// If the driver is gone.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }

    async fn wait_for_state(&self, css: &str, states: &[&str]) -> Result<()> {
        let any: Vec<String> = states
            .iter()
            .map(|state| format!(r#"{css}[data-state="{state}"]"#))
            .collect();
        let wait = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(&any.join(", ")))
            .await;
        let status = self.text("model-status").await?;
        wait.map(drop)
            .with_context(|| format!("{css} never was any of {states:?}; the model: {status}"))
    }

    /// A picture is put in place once it is loaded, and a list of them is not loaded at once.
    async fn wait_for_pictures(&self) -> Result<()> {
        const LOADED: &str = r#"
            const done = arguments[arguments.length - 1];
            const images = [...document.querySelectorAll('[data-testid="result-card"] img')];
            const all = Promise.allSettled(images.map((image) => image.decode()));
            const quiet = () => performance.getEntriesByType("resource").length;
            (async () => {
                await all;
                for (let before = -1, now = quiet(); before !== now; before = now, now = quiet()) {
                    await new Promise((resolve) => setTimeout(resolve, 250));
                }
                done(null);
            })();
        "#;
        self.run(LOADED, vec![]).await.map(drop)
    }
}
