//! Links without the C start-up files: `main.rs` brings its own entry point.

fn main() {
    println!("cargo:rustc-link-arg-bins=-nostartfiles");
    println!("cargo:rustc-link-arg-bins=-static");
    println!("cargo:rustc-link-arg-bins=-nostdlib");
    println!("cargo:rerun-if-changed=build.rs");
}
