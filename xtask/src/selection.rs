//! The workspace in three parts, each compiled by one cargo command.
//!
//! Cargo unites the features of all packages that one command names, dev-dependencies included, and a
//! dependency with other features is compiled anew with all that stands on it. `tests` would change
//! `syn`, and so nearly everything; it does without burn, so by itself it costs little.

/// Packages that are compiled together.
pub struct Selection {
    /// What to call them.
    pub name: &'static str,
    /// How to name them to cargo.
    pub arguments: &'static [&'static str],
}

/// What runs on this machine.
pub const NATIVE: Selection = Selection {
    name: "native",
    arguments: &[
        "--package",
        "flukeprint-core",
        "--package",
        "flukeprint",
        "--package",
        "xtask",
    ],
};

/// What drives the programs and the page from outside.
pub const ACROSS: Selection = Selection {
    name: "across crates",
    arguments: &["--package", "flukeprint-tests"],
};

/// What runs in a browser.
pub const BROWSER: Selection = Selection {
    name: "browser",
    arguments: &[
        "--package",
        "flukeprint-web",
        "--target",
        "wasm32-unknown-unknown",
    ],
};

/// The whole workspace.
pub const ALL: [Selection; 3] = [NATIVE, ACROSS, BROWSER];
