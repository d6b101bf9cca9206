//! What the tests across crates share: the fixture that `cargo xtask test` prepares, the real server, a browser, and
//! the page as a person sees it.

mod chromedriver;
mod fixture;
mod page;
mod server;

pub use chromedriver::Chromedriver;
pub use fixture::{Fixture, MODEL, PLAIN};
pub use page::{Page, Screen, Shown, ShownCandidate};
pub use server::Server;

/// JavaScript: `await open(backend)` gives the program itself with the bundle of [`MODEL`], without the page
/// around it, and `await bytes(path)` a file of that bundle.
pub const OPEN_PROGRAM: &str = r#"
    const open = async (backend, model = "synthetic") => {
        const fetched = (path) => fetch(`/models/${model}/${path}`);
        const bytes = async (path) => new Uint8Array(await (await fetched(path)).arrayBuffer());
        const web = await import("/pkg/flukeprint_web.js");
        await web.default();
        const loader = new web.BundleLoader(await bytes("bundle.json"));
        for (const { path } of loader.files()) loader.add(path, await bytes(path));
        return loader.finish(backend, () => {});
    };
"#;
