//! `flukeprint serve`.

use super::out::say;
use crate::{Error, Result};
use axum::Router;
use axum::http::{HeaderValue, Response, header};
use clap::Args;
use std::path::PathBuf;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// What the page may load: its own files, the photos it shows, compiled WebAssembly.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    img-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Serve a folder of static files (the page and its bundles) on this machine.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  flukeprint serve site --port 8017")]
pub struct Serve {
    /// The folder.
    folder: PathBuf,
    /// Port; 0 takes any free one.
    #[arg(long, default_value_t = 8017)]
    port: u16,
}

impl Serve {
    pub fn run(&self) -> Result<()> {
        if !self.folder.is_dir() {
            let wanted = "it should hold index.html, as `cargo xtask demo` assembles it";
            return Err(Error::MissingFolder {
                path: self.folder.clone(),
                wanted,
            });
        }
        let address = format!("127.0.0.1:{}", self.port);
        let failed = |source| Error::Serve {
            address: address.clone(),
            source,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        runtime.block_on(async {
            let listener = TcpListener::bind(&address).await.map_err(failed)?;
            // `localhost`, because browsers allow WebGPU and service workers there without TLS.
            say!(
                "http://localhost:{}/",
                listener.local_addr().map_err(failed)?.port()
            );
            axum::serve(listener, self.router())
                .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
                .await
                .map_err(failed)
        })
    }

    fn router(&self) -> Router {
        // A browser asks again each time and is told when nothing changed.
        let fresh = SetResponseHeaderLayer::overriding(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache"),
        );
        let plain = SetResponseHeaderLayer::overriding(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        let policy = SetResponseHeaderLayer::overriding(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        );
        // Text of ours is UTF-8, which a browser does not guess of Markdown.
        let text = SetResponseHeaderLayer::overriding(header::CONTENT_TYPE, with_charset);
        Router::new()
            .fallback_service(ServeDir::new(&self.folder))
            .layer(fresh)
            .layer(plain)
            .layer(policy)
            .layer(text)
    }
}

fn with_charset<B>(response: &Response<B>) -> Option<HeaderValue> {
    let found = response.headers().get(header::CONTENT_TYPE)?;
    match found.as_bytes() {
        b"text/markdown" => Some(HeaderValue::from_static("text/markdown; charset=utf-8")),
        _ => Some(found.clone()),
    }
}
