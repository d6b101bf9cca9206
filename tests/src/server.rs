//! The real `flukeprint serve`, on a free loopback port.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Serves `folder` with the program `binary` and waits for the address that it prints.
    ///
    /// # Errors
    /// If the program doesn't start, or ends without printing an address.
    pub fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let mut child = Command::new(binary)
            .arg("serve")
            .arg(folder)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", binary.display()))?;
        let output = child
            .stdout
            .take()
            .context("the server's output is piped")?;
        let mut server = Self {
            child,
            address: String::new(),
        };
        server.address = printed_address(BufReader::new(output))?;
        Ok(server)
    }

    /// As the server printed it, with `localhost` and a slash at the end: `http://localhost:40123/`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The page's address with `model`, a name from `models.json`, on `backend`: "wasm" or "webgpu".
    #[must_use]
    pub fn page(&self, model: &str, backend: &str) -> String {
        format!("{}?backend={backend}&model={model}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about either failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port of the first address in the output.
fn printed_address(output: impl BufRead) -> Result<String> {
    for line in output.lines() {
        let line = line?;
        let Some((_, address)) = line.split_once("http://") else {
            continue;
        };
        let Some((_, port)) = address.split_once(':') else {
            continue;
        };
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        return Ok(format!("http://localhost:{port}/"));
    }
    bail!("`flukeprint serve` ended without printing an address")
}
