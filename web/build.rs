//! Tells the linker that the page runs the program's constructors itself, once.
//!
//! Otherwise it takes the module for a command and runs all of them again at every call from JavaScript,
//! which the compiler's registries (`inventory`, in cubecl) take for some milliseconds and more each time.
#![allow(clippy::print_stdout)] // it is how a build script speaks to cargo

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-cdylib=--export=__wasm_call_ctors");
}
