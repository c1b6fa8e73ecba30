//! Embeds the screens and what they may ask. Without built screens the app is built without any: lints and
//! tests of the rest need none.

use tauri_build::{AppManifest, Attributes, CodegenContext};

const SCREENS: &str = "../ui/dist/field";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(SCREENS)?;
    println!("cargo:rerun-if-changed={SCREENS}");
    let commands = AppManifest::new().commands(&["call", "attach", "install_map"]);
    let attributes = Attributes::new().app_manifest(commands).codegen(CodegenContext::new());
    Ok(tauri_build::try_build(attributes)?)
}
