//! `cargo xtask demo`: from nothing to a named whale and a served page.

use anyhow::Result;
use clap::Args;

use crate::pipeline::{Catalogue, Pipeline};
use crate::workspace::{Workspace, clock};
use crate::{run, tools};

/// Large enough that a trained net shows its worth, small enough to train while somebody waits.
const CATALOGUE: Catalogue = Catalogue {
    seed: 7,
    individuals: 250,
    new_photos: 150,
    test_photos: 40,
    photo_width: 320,
    pose_percent: 40,
};

#[derive(Args)]
pub struct Options {
    /// Stop when the page is ready
    #[arg(long)]
    no_serve: bool,
    /// Port of the page on this machine
    #[arg(long, default_value_t = 8017)]
    port: u16,
    /// What to train: a recipe of `flukeprint train`
    #[arg(long, default_value = "demo")]
    recipe: String,
}

/// Builds, draws, trains, names a whale, builds the page, serves it.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut pipeline = Pipeline::new(workspace, "demo");
    pipeline.build()?;
    pipeline.draw(&CATALOGUE)?;
    pipeline.train(&options.recipe)?;
    pipeline.evaluate()?;
    pipeline.export()?;
    pipeline.identify()?;
    workspace.say(format!(
        "The first whale has its name, {} after the start.",
        clock(workspace.elapsed())
    ));

    tools::for_the_page(workspace)?;
    let folder = pipeline.site();
    pipeline.assemble()?;
    workspace.say(format!(
        "The page is ready, {} after the start: {}",
        clock(workspace.elapsed()),
        folder.display()
    ));

    if options.no_serve {
        return Ok(());
    }
    let mut serve = workspace.command(pipeline.binary());
    serve
        .arg("serve")
        .arg(&folder)
        .arg("--port")
        .arg(options.port.to_string());
    run::shown(
        workspace,
        "serve the page at the address below; Ctrl-C ends",
        serve,
    )
}
