//! Debian's chromedriver, on a free loopback port that it picks itself.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A running chromedriver; it and the browsers it started end when dropped.
#[derive(Debug)]
pub struct Chromedriver {
    child: Child,
    port: u16,
}

impl Chromedriver {
    /// Starts `$CHROMEDRIVER`, or `chromedriver` from the path.
    ///
    /// # Errors
    /// If there is none, or if it ends without saying its port.
    pub fn start() -> Result<Self> {
        let program = env::var_os("CHROMEDRIVER")
            .map_or_else(|| PathBuf::from("chromedriver"), PathBuf::from);
        let mut child = Command::new(&program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| {
                format!(
                    "{} did not start: run `cargo xtask test`, which installs it",
                    program.display()
                )
            })?;
        let output = child
            .stdout
            .take()
            .context("chromedriver's output is piped")?;
        let mut driver = Self { child, port: 0 };
        let mut lines = BufReader::new(output);
        driver.port = printed_port(&mut lines)?;
        // It goes on writing now and then: an unread pipe would stop it.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(driver)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Asks it to end, which ends its browsers too; killed, it would leave them behind.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut connection = TcpStream::connect(("localhost", self.port))?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            connection,
            "GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        connection.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        if self.port == 0 || self.shut_down().is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// From "ChromeDriver was started successfully on port 40123."
fn printed_port(output: &mut impl BufRead) -> Result<u16> {
    for line in output.lines() {
        let line = line?;
        if let Some((_, port)) = line.split_once("successfully on port ") {
            return port
                .trim_end_matches('.')
                .parse()
                .with_context(|| format!("no port in chromedriver's line: {line}"));
        }
    }
    bail!("chromedriver ended without saying its port")
}
