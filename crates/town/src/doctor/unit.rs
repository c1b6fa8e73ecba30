//! The systemd unit: whether the service is fenced in as it was delivered.

use std::path::{Path, PathBuf};

use super::Check;

const UNIT: &str = "yaoguan-town.service";
/// What a delivered unit says, each in a line of its own.
const FENCE: [&str; 9] = [
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "CapabilityBoundingSet=",
    "SystemCallFilter=@system-service",
    "UMask=0077",
    "Type=notify",
];

pub(super) fn unit(folders: &[PathBuf]) -> Check {
    const NAME: &str = "service";
    let found = folders.iter().map(|folder| folder.join(UNIT)).find(|file| file.exists());
    let Some(file) = found else { return Check::warn(NAME, "service_missing") };
    let text = with_drop_ins(&file);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    if !lines.iter().any(|line| line.starts_with("User=") && *line != "User=root") {
        return Check::bad(NAME, "service_as_root").about(&file);
    }
    let lacking = FENCE.into_iter().find(|wanted| !lines.contains(wanted));
    match lacking {
        Some(line) => Check::warn(NAME, "service_open").about(&file).with("line", line),
        None => Check::ok(NAME, "service_fenced").about(&file),
    }
}

/// The unit's text and that of its drop-ins.
fn with_drop_ins(file: &Path) -> String {
    let mut text = std::fs::read_to_string(file).unwrap_or_default();
    let folder = file.with_file_name(format!("{UNIT}.d"));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        text.push('\n');
        text.push_str(&std::fs::read_to_string(entry.path()).unwrap_or_default());
    }
    text
}
