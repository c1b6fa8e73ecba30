//! The file that holds the database's key: 64 hexadecimal digits, mode 600, outside the data folder.
//!
//! The key never lies inside the folder, so that a copy of the folder alone (a backup on a stick) tells
//! nothing to whoever finds it. A key that others can read, or that lies inside, is refused: a town that
//! starts in spite of it would never be mended.

use std::io::Write as _;
use std::path::Path;

use yaoguan_model::Env;

use crate::error::TownError;

/// Rights of a file that let anybody but its owner at it.
const OTHERS: u32 = 0o077;

/// The key for the data in `dir`.
pub fn read(file: &Path, dir: &Path) -> Result<[u8; 32], TownError> {
    if lies_inside(file, dir) {
        return Err(TownError::KeyInside(file.to_owned()));
    }
    let bad = || TownError::Key(file.to_owned());
    let text = std::fs::read_to_string(file).map_err(|_| bad())?;
    if is_exposed(file) {
        return Err(TownError::KeyExposed(file.to_owned()));
    }
    parse(&text).ok_or_else(bad)
}

/// The key for the data in `dir`; a new one where there is none.
pub fn read_or_make(file: &Path, dir: &Path, env: &dyn Env) -> Result<[u8; 32], TownError> {
    if file.exists() || lies_inside(file, dir) {
        return read(file, dir);
    }
    make(file, env)
}

/// Whether the file lies in the folder, by whatever way it is named.
pub fn lies_inside(file: &Path, dir: &Path) -> bool {
    let real = |path: &Path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // What is not there yet is judged by the folder it would be in.
        let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
        match there {
            Some((above, canonical)) => match path.strip_prefix(above) {
                Ok(rest) if !rest.as_os_str().is_empty() => canonical.join(rest),
                Ok(_) | Err(_) => canonical,
            },
            None => path,
        }
    };
    real(file).starts_with(real(dir))
}

/// Whether others than its owner may read or write the file.
#[cfg(unix)]
pub fn is_exposed(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & OTHERS != 0)
}
#[cfg(not(unix))]
pub fn is_exposed(_: &Path) -> bool {
    false
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> =
        text.trim().chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        if let [high, low] = pair {
            *byte = high * 16 + low;
        }
    }
    Some(key)
}

/// Writes a new key, readable by its owner alone.
fn make(file: &Path, env: &dyn Env) -> Result<[u8; 32], TownError> {
    let mut key = [0; 32];
    for (byte, random) in key.iter_mut().zip(env.random_16().into_iter().chain(env.random_16())) {
        *byte = random;
    }
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut out = options.open(file)?;
    writeln!(out, "{hex}")?;
    out.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;

    use yaoguan_model::env::System;

    use super::*;
    use crate::data::default_key_file;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("town");
        std::fs::create_dir(&data).unwrap();
        (folder, data)
    }

    #[test]
    fn a_new_key_is_for_its_owner_alone_and_comes_back() {
        let (_folder, data) = folder();
        let file = default_key_file(&data);
        let key = read_or_make(&file, &data, &System).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&file, &data).unwrap(), key);
        assert_eq!(read_or_make(&file, &data, &System).unwrap(), key);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let (_folder, data) = folder();
        let file = default_key_file(&data);
        read_or_make(&file, &data, &System).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o601] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read(&file, &data), Err(TownError::KeyExposed(_))), "{mode:o}");
        }
    }

    #[test]
    fn a_key_inside_the_data_folder_is_refused_by_whatever_name() {
        let (folder, data) = folder();
        symlink(&data, folder.path().join("other-name")).unwrap();
        let inside = [
            data.join("town.key"),
            data.join("deep/town.key"),
            folder.path().join("other-name/town.key"),
            folder.path().join("town/../town/town.key"),
        ];
        for file in inside {
            let made = read_or_make(&file, &data, &System);
            assert!(matches!(made, Err(TownError::KeyInside(_))), "{}", file.display());
            assert!(!file.exists());
        }
        assert!(!lies_inside(&folder.path().join("town.key"), &data));
        assert!(!lies_inside(&folder.path().join("town-2/key"), &data));
    }

    #[test]
    fn a_file_that_holds_no_key_says_so() {
        let (_folder, data) = folder();
        let file = default_key_file(&data);
        assert!(matches!(read(&file, &data), Err(TownError::Key(_))));
        std::fs::write(&file, "not a key").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(read(&file, &data), Err(TownError::Key(_))));
    }
}
