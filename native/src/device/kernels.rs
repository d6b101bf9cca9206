//! What a GPU's first use costs, and every later one need not: kernels compiled, and the fastest of several
//! chosen by trying them, minutes for a network that is trained.

use burn::cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

/// Has compiled kernels kept on disk, as the choices among them are by burn's feature `persistence`: in
/// `target/environment` of a checkout, otherwise in the user's cache directory under `cubecl`, or where a
/// `cubecl.toml` in the working directory or above it says. To be called before any device is asked for;
/// later it does nothing.
pub(super) fn keep() {
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    config.compilation.cache = true;
    CubeClRuntimeConfig::try_set(config);
}
