//! Tells the linker that the program runs its constructors itself, once, when it starts (`start` in `lib.rs`).
//!
//! Otherwise it takes the module for a command and runs all of them again at every call from JavaScript,
//! which the kernel compiler's registries make some tenths of a millisecond that grow with each call.
#![allow(clippy::print_stdout)] // it is how a build script speaks to cargo

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-cdylib=--export=__wasm_call_ctors");
}
